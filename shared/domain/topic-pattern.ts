/** Topic patterns as RabbitMQ's permissions write them: regular expressions. */

export interface TopicPattern {
  /** Words between dots: `*` is one word; `#`, at the end only, is all that follow. */
  readonly pattern: string;
  /** Keys that fit and are left out all the same. */
  readonly except?: readonly string[];
}

/** Whole keys only. Of no pattern: one that nothing fits, since RabbitMQ takes an absent rule as leave. */
export function regularExpressionOf(patterns: readonly TopicPattern[]): string {
  return patterns.length === 0 ? "^$" : `^(${[...new Set(patterns.map(alternative))].join("|")})$`;
}

function alternative({ pattern, except = [] }: TopicPattern): string {
  const without = except.length === 0 ? "" : `(?!(${except.map(expression).join("|")})$)`;
  return without + expression(pattern);
}

function expression(pattern: string): string {
  return pattern.split(".").map(word).join("\\.");
}

function word(text: string): string {
  if (text === "*") return "[^.]+";
  if (text === "#") return ".+";
  return text.replace(/[^A-Za-z0-9_-]/g, "\\$&");
}
