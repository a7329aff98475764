/** In which formats an answer can be had, and which one a client wants: RFC 9110 section 12.5.1. */

export interface AnswerFormat {
  readonly name: "json" | "ndjson" | "csv" | "arrow";
  readonly mediaType: string;
  readonly contentType: string;
}

/** The first is what a client gets that does not say. */
export const answerFormats: readonly AnswerFormat[] = [
  { name: "json", mediaType: "application/json", contentType: "application/json" },
  { name: "ndjson", mediaType: "application/x-ndjson", contentType: "application/x-ndjson" },
  { name: "csv", mediaType: "text/csv", contentType: "text/csv; charset=utf-8; header=present" },
  {
    name: "arrow",
    mediaType: "application/vnd.apache.arrow.stream",
    contentType: "application/vnd.apache.arrow.stream",
  },
];

interface Range {
  readonly type: string;
  readonly q: number;
  /** Exact before `type/*` before any. */
  readonly precision: number;
}

/** @returns what the client takes, best first; what it likes equally, in our order. Empty: none of ours */
export function acceptedFormats(accept: string | undefined): AnswerFormat[] {
  if (accept === undefined || accept.trim() === "") return [...answerFormats];
  const ranges = accept.split(",").map(rangeOf);
  return answerFormats
    .map((format) => ({ format, q: qualityOf(format, ranges) }))
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
    .map(({ format }) => format);
}

function rangeOf(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((one) => one.startsWith("q="))?.slice(2) ?? "1";
  // A weight that is none can't be a wish.
  const q = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
  const precision = type === "*/*" ? 0 : type.endsWith("/*") ? 1 : 2;
  return { type, q, precision };
}

function qualityOf({ mediaType }: AnswerFormat, ranges: readonly Range[]): number {
  // curl's users write `*` and mean `*/*`; some write problem+json beside what they want, which errors have anyway.
  const fitting = ranges.filter(
    ({ type }) => type === mediaType || type === "*/*" || type === `${mediaType.split("/")[0]}/*`,
  );
  const [best] = fitting.sort((a, b) => b.precision - a.precision);
  return best?.q ?? 0;
}
