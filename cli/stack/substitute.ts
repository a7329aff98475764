/** Environment substitution over the whole text of a stack file, as faas-cli does it before it reads the YAML. */

/**
 * `${NAME}` and `${NAME:-otherwise}`; an unset name without otherwise gives nothing, and an empty
 * one counts as unset. Comments are substituted too: the text is not yet YAML.
 *
 * @throws RangeError at `${…}` of another form, with its line: faas-cli's library knows more forms,
 * and doing something else than it would be worse than not doing it
 */
export function substitute(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$\{([^}\n]*)\}?/g, (whole, inside: string, at: number) => {
    const found = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/.exec(inside);
    if (found === null || !whole.endsWith("}")) {
      const line = text.slice(0, at).split("\n").length;
      throw new RangeError(`line ${line}: ${whole} is not understood: write \${NAME} or \${NAME:-otherwise}`);
    }
    return environment[found[1] as string] || (found[2] ?? "");
  });
}
