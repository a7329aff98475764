/**
 * What a change of a document says about the one that it replaces (RFC 9110 section 13.1, RFC 6585 section 3).
 *
 * A change names the very revision that its author has seen, `*` does not: so a change that is sent a second
 * time, by an impatient client or by somebody who has recorded it, changes nothing.
 */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { entityTags } from "./entity-tags.ts";

export interface Existence {
  /** As errors name it: `agreement VU`. */
  readonly what: string;
  /** Of the document; undefined: there is none. */
  readonly revision: number | undefined;
  /** Of its deletion or last creation; undefined: there never was one, or it came with the seed. */
  readonly changedAt: number | undefined;
}

export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** @throws DynamosError PRECONDITION_REQUIRED, REVISION_CONFLICT, INVALID_REQUEST; it says what to send */
export function checkPut(there: Existence, { ifMatch, ifNoneMatch }: Conditions): void {
  const current = there.revision ?? there.changedAt;
  if (ifMatch === undefined && ifNoneMatch?.trim() === "*") {
    if (current === undefined) return;
    throw conflict(`${stateOf(there)}: ${remedyOf(there)}`);
  }
  if (ifMatch === undefined || ifMatch.trim() === "*") {
    throw new DynamosError(
      ErrorCode.PRECONDITION_REQUIRED,
      `a change names the revision that it replaces; ${stateOf(there)}: ${remedyOf(there)}`,
    );
  }
  if (!names(ifMatch, current))
    throw conflict(`if-match names another revision; ${stateOf(there)}: ${remedyOf(there)}`);
}

/** @param there a document that is there. @throws DynamosError as `checkPut` */
export function checkDelete(there: Existence, { ifMatch }: Conditions): void {
  const remedy = `${stateOf(there)}: to delete it send If-Match: ${etagOf(there.revision ?? 0)}`;
  if (ifMatch === undefined || ifMatch.trim() === "*") {
    throw new DynamosError(ErrorCode.PRECONDITION_REQUIRED, `a deletion names the revision that it deletes; ${remedy}`);
  }
  if (!names(ifMatch, there.revision)) throw conflict(`if-match names another revision; ${remedy}`);
}

export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/** A weak tag never matches. */
function names(ifMatch: string, revision: number | undefined): boolean {
  const tags = entityTags(ifMatch);
  if (tags === undefined) throw new DynamosError(ErrorCode.INVALID_REQUEST, "if-match is not a list of etags");
  return revision !== undefined && tags.some(({ weak, value }) => !weak && value === String(revision));
}

function stateOf({ what, revision, changedAt }: Existence): string {
  if (revision !== undefined) return `${what} is at revision ${revision}`;
  return changedAt === undefined ? `there is no ${what}` : `${what} was deleted at revision ${changedAt}`;
}

function remedyOf({ revision, changedAt }: Existence): string {
  if (revision !== undefined) return `to replace it send If-Match: ${etagOf(revision)}`;
  return changedAt === undefined
    ? "to create it send If-None-Match: *"
    : `to create it again send If-Match: ${etagOf(changedAt)}`;
}

function conflict(message: string): DynamosError {
  return new DynamosError(ErrorCode.REVISION_CONFLICT, message);
}
