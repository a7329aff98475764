/** Reads a query's options: flags that may be absent, which differs from false. */

/**
 * The original compares flags without regard to case. Where two spellings disagree, true wins,
 * so that the answer does not depend on their order.
 */
export function optionOf(options: Readonly<Record<string, boolean>>, flag: string): boolean | undefined {
  const wanted = flag.toLowerCase();
  const values = Object.entries(options).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));
  return values.length === 0 ? undefined : values.includes(true);
}
