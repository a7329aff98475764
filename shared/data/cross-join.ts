/**
 * `JOIN` without `ON` or `USING`, as SQLite takes it: a cross join. Used on text that the
 * engine's parser has already turned down, so it changes no query that is valid as it is.
 */

interface Token {
  /** Upper case for words; `(`, `)` and `,` as they are; `"` for any quoted or other text. */
  readonly text: string;
  readonly start: number;
  readonly depth: number;
}

/** Strings, quoted identifiers, comments, words, brackets; everything else one character at a time. */
const lexeme =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\s+|[\s\S]/g;
const endsFrom: ReadonlySet<string> = new Set([
  "WHERE",
  "GROUP",
  "HAVING",
  "ORDER",
  "LIMIT",
  "OFFSET",
  "UNION",
  "INTERSECT",
  "EXCEPT",
  "WINDOW",
  "QUALIFY",
]);
/** A join that these stand before wants its condition, or none: not ours to change. */
const otherJoins: ReadonlySet<string> = new Set([
  "CROSS",
  "NATURAL",
  "LEFT",
  "RIGHT",
  "FULL",
  "OUTER",
  "SEMI",
  "ANTI",
  "ASOF",
  "POSITIONAL",
]);

export function withCrossJoins(sql: string): string {
  const tokens = tokensOf(sql);
  const places: { start: number; end: number }[] = [];
  for (const [i, token] of tokens.entries()) {
    if (token.text === "JOIN" && !hasCondition(tokens, i)) {
      const before = tokens[i - 1];
      if (before !== undefined && otherJoins.has(before.text)) continue;
      const start = before?.text === "INNER" ? before.start : token.start;
      places.push({ start, end: token.start + "JOIN".length });
    }
  }
  return places.reduceRight((text, { start, end }) => `${text.slice(0, start)}CROSS JOIN${text.slice(end)}`, sql);
}

/** Whether each bracket is closed after it was opened, and none other. */
export function bracketsClosed(sql: string): boolean {
  let open = 0;
  for (const { text } of tokensOf(sql)) {
    if (text === "(") open += 1;
    if (text === ")") open -= 1;
    if (open < 0) return false;
  }
  return open === 0;
}

/** Looks for the condition that belongs to this join: joins nested in its right side take theirs first. */
function hasCondition(tokens: readonly Token[], join: number): boolean {
  const depth = tokens[join]?.depth ?? 0;
  let open = 1;
  for (const token of tokens.slice(join + 1)) {
    if (token.depth < depth) return false;
    if (token.depth > depth) continue;
    if (token.text === ")" || token.text === "," || token.text === ";" || endsFrom.has(token.text)) return false;
    if (token.text === "JOIN") open += 1;
    if (token.text === "ON" || token.text === "USING") {
      open -= 1;
      if (open === 0) return true;
    }
  }
  return false;
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  for (const match of sql.matchAll(lexeme)) {
    const [raw] = match;
    if (/^\s/.test(raw) || raw.startsWith("--") || raw.startsWith("/*")) continue;
    if (raw === ")") depth -= 1;
    tokens.push({
      text: /^[A-Za-z_]/.test(raw) ? raw.toUpperCase() : raw.length > 1 ? '"' : raw,
      start: match.index,
      depth,
    });
    if (raw === "(") depth += 1;
  }
  return tokens;
}
