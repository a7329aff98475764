/** Which functions faas-cli's --filter and --regex choose. */

export interface Selection {
  /** `*` for any letters, none too; over the whole name: `uva-*`. */
  readonly filter?: string | undefined;
  /** In Go's syntax; a match anywhere in the name counts. */
  readonly regex?: string | undefined;
}

/** JavaScript has them, Go's engine refuses them: what looks ahead, behind or back takes it no bounded time. */
const notInGo = /\(\?(?:=|!|<=|<!)|\\[1-9]|\\k</;

/**
 * As faas-cli does it: an empty one counts as none, both exclude each other, and it gives up where nothing
 * is chosen.
 *
 * @throws RangeError with a sentence
 */
export function selectNames(names: readonly string[], { filter = "", regex = "" }: Selection): string[] {
  if (filter === "" && regex === "") return [...names];
  if (filter !== "" && regex !== "") throw new RangeError("--filter and --regex exclude each other");
  const pattern = regex === "" ? globOf(filter) : regexOf(regex);
  const chosen = names.filter((name) => pattern.test(name));
  if (chosen.length > 0) return chosen;
  throw new RangeError(`no function has a name like ${filter || regex}; there are ${names.join(", ")}`);
}

function globOf(filter: string): RegExp {
  return new RegExp(`^${filter.split("*").map(escaped).join(".*")}$`);
}

function regexOf(text: string): RegExp {
  if (notInGo.test(text)) throw new RangeError(`--regex ${text}: Go's regular expressions have no lookaround`);
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new RangeError(`--regex ${text}: is no regular expression`, { cause });
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
}
