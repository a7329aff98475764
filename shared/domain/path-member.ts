/** As JSON paths have it: `.Personen`, `["a table"]`. */
export function pathMember(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
