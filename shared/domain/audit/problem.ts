/** What can be wrong with a record, in names and words. */
import type { ChainPlace } from "./chain.ts";

/**
 * - `altered`: it stands in its place but is not what was written.
 * - `removed`: it does not stand anywhere.
 * - `inserted`: it stands where no record was written, or a second time.
 * - `reordered`: it stands after one that was written later.
 * - `truncated`: the end is missing, up to a head that was given.
 * - `foreign`: it is not signed by the chain's key, or the chain's key is not one of those that were given.
 */
export type ProblemKind = "altered" | "removed" | "inserted" | "reordered" | "truncated" | "foreign";

export interface LinePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface Problem extends ChainPlace, LinePlace {
  readonly kind: ProblemKind;
  /** Of the first record that it is about; 0 where none is. */
  readonly seq: number;
  /** And of the last. */
  readonly seqTo: number;
}

const words: Readonly<Record<ProblemKind, string>> = {
  altered: "is not what was written",
  removed: "is missing",
  inserted: "stands where no record was written, or a second time",
  reordered: "stands after one that was written later",
  truncated: "is missing at the end",
  foreign: "is not signed by the key of this record",
};

/** `altered: record 5 of UVA/sidecar-1 is not what was written (uva.jsonl, line 5)` */
export function problemText({ kind, party, instance, seq, seqTo, file, line }: Problem): string {
  const which = seq === 0 ? "a line" : seq === seqTo ? `record ${seq}` : `each of records ${seq} to ${seqTo}`;
  const place = line === 0 ? file : `${file}, line ${line}`;
  const whose = party === "" ? "" : ` of ${party}/${instance}`;
  return `${kind}: ${which}${whose} ${words[kind]}${place === "" ? "" : ` (${place})`}`;
}
