/** Under which licences a package may be that reaches a bundle or the image. */
import type { InstalledPackage } from "./installed-package.ts";

/** SPDX identifiers. All let it be passed on with its text, and ask nothing of the rest. */
export const allowedLicences: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Python-2.0",
  "Unlicense",
  "Zlib",
];

/** @returns a sentence for each package that may not be inside */
export function notAllowed(packages: readonly InstalledPackage[]): string[] {
  return packages
    .filter(({ licence }) => !isAllowed(licence))
    .map(
      ({ name, version, licence }) =>
        `${name}@${version} is under ${licence}, which is none of ${allowedLicences.join(", ")}`,
    );
}

/**
 * @param expression SPDX: identifiers with AND, OR and brackets; of what OR joins one must be allowed,
 * of what AND joins all. An exception (WITH) and whatever can't be read is not allowed.
 */
export function isAllowed(expression: string): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const either = (): boolean => {
    let holds = both();
    while (tokens[at] === "OR") {
      at += 1;
      // Not short-circuit: the rest is read too.
      holds = both() || holds;
    }
    return holds;
  };
  const both = (): boolean => {
    let holds = one();
    while (tokens[at] === "AND") {
      at += 1;
      holds = one() && holds;
    }
    return holds;
  };
  const one = (): boolean => {
    const token = tokens[at];
    at += 1;
    if (token !== "(") return token !== undefined && allowedLicences.includes(token);
    const holds = either();
    const closed = tokens[at] === ")";
    at += 1;
    return holds && closed;
  };
  const holds = either();
  return holds && at === tokens.length;
}
