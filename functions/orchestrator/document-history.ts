/** A document's history as it is read: who changed what when, and how it was at a revision. */
import { ErrorCode } from "#contracts";
import { differencesOf } from "#domain/json-differences";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import { storedVersions, type Version } from "./versions.ts";

export interface HistoryPage {
  /** Only versions before this revision; undefined: from the newest on. */
  readonly before: number | undefined;
  readonly limit: number;
}

/** @returns newest first; `next`: the `before` of the next page, where there is one */
export async function historyJson(api: SidecarApi, key: string, { before, limit }: HistoryPage) {
  const kept = await storedVersions(api, key);
  const rest = before === undefined ? kept : kept.filter(({ revision }) => revision < before);
  // One more than is shown: the last one's differences are to it.
  const versions = rest.slice(0, limit + 1).map((version) => version.parse());
  const shown = versions.slice(0, limit).map((version, index) => versionJson(version, versions[index + 1]));
  const last = versions[limit - 1];
  return { changes: shown, ...(rest.length > limit && last !== undefined ? { next: last.revision } : {}) };
}

/** @param query the request's `before` and `limit`. @throws DynamosError INVALID_REQUEST */
export function pageOf(query: { before: string | undefined; limit: string | undefined }): HistoryPage {
  return {
    before: query.before === undefined ? undefined : wholeNumber("before", query.before, Number.MAX_SAFE_INTEGER),
    limit:
      query.limit === undefined ? limits.historyPageDefault : wholeNumber("limit", query.limit, limits.historyPageMax),
  };
}

/** The document as it was. @throws DynamosError NOT_FOUND */
export async function valueAt(api: SidecarApi, key: string, revision: number): Promise<object> {
  const version = (await storedVersions(api, key)).find((one) => one.revision === revision)?.parse();
  if (version === undefined || version.value === null) {
    const why = version === undefined ? "is not kept, or never was" : "is that of its deletion";
    throw new DynamosError(ErrorCode.NOT_FOUND, `revision ${revision} of this document ${why}`);
  }
  return version.value as object;
}

/** @throws DynamosError INVALID_REQUEST */
export function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new DynamosError(ErrorCode.INVALID_REQUEST, `${name} must be a whole number from 1 to ${max}`);
}

/** No differences where there is nothing to differ from: a creation, a deletion, a version whose forerunner is gone. */
function versionJson(version: Version, forerunner: Version | undefined) {
  const { revision, author, role, time, change, previousRevision } = version;
  const known = forerunner?.revision === previousRevision ? forerunner.value : null;
  const differences = change === "put" && known !== null ? differencesOf(known, version.value) : undefined;
  return {
    revision,
    ...(author === "" ? {} : { author, role, time }),
    change,
    ...(previousRevision === 0 ? {} : { previousRevision }),
    ...(differences === undefined ? {} : { differences: differences.slice(0, limits.differencesMax) }),
    ...((differences?.length ?? 0) > limits.differencesMax ? { differenceCount: differences?.length } : {}),
  };
}
