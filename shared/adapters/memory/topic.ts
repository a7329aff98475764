/** Whether a routing key fits a binding: words between dots, `*` is one word, `#` any number. Source: AMQP 0-9-1, section 3.1.3.3. */
export function fitsTopic(pattern: string, key: string): boolean {
  return fits(pattern.split("."), key.split("."));
}

function fits(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === "#") return words.some((_, i) => fits(rest, words.slice(i))) || fits(rest, []);
  return words.length > 0 && (first === "*" || first === words[0]) && fits(rest, words.slice(1));
}
