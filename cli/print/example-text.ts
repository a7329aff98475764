/** What stands below a command's options in its help. */

/** @param lines commands as they are typed, and words to them */
export function exampleText(...lines: readonly string[]): string {
  return [
    "",
    lines.length === 1 ? "Example:" : "Examples:",
    ...lines.map((line) => (line === "" ? "" : `  ${line}`)),
  ].join("\n");
}
