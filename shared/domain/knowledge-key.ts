/** What may be a key of the knowledge base: the same in every store. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

const keyCharsMax = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a key.
const validKey = /^(~[a-z]+)?\/[^\u0000-\u001f\u007f]*$/;

export function isKey(key: string): boolean {
  return validKey.test(key) && key.length <= keyCharsMax;
}

/** @throws DynamosError INVALID_REQUEST */
export function checkKey(key: string): void {
  if (isKey(key)) return;
  const message = `a key begins with / or ~word/ and has at most ${keyCharsMax} characters, none of them a control character`;
  throw new DynamosError(ErrorCode.INVALID_REQUEST, message);
}

/** Of one change and what goes with it. @throws DynamosError INVALID_REQUEST */
export function checkKeys(keys: readonly string[]): void {
  for (const key of keys) checkKey(key);
  if (new Set(keys).size < keys.length) {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, "a key is changed twice at once");
  }
}

/** What is there in place of what was expected. @param revision 0: it does not exist */
export function revisionConflict(key: string, revision: number, expected: number): DynamosError {
  const there = revision === 0 ? "does not exist" : `is at revision ${revision}`;
  return new DynamosError(ErrorCode.REVISION_CONFLICT, `${key} ${there}, expected ${expected}`);
}
