/** What is recorded where parts meet: whose they are, and what is handed on. */
import { type Envelope, ErrorCode } from "#contracts";
import { labelOf } from "#errors";
import type { Effect } from "../carry-out.ts";
import { contentsOf } from "./contents.ts";
import type { FailureRecord, GatherRecord } from "./record.ts";
import { aboutQuery, approvedRevisions, type Recording } from "./records-of-hop.ts";

/**
 * @param parts as they came
 * @param effects what becomes of them: the merged envelope, or why there is none
 */
export function recordsOfGather(
  chain: string,
  parts: readonly Envelope[],
  effects: readonly Effect[],
  recording: Recording,
): (GatherRecord | FailureRecord)[] {
  const [first] = parts;
  if (first === undefined) return [];
  const about = aboutQuery(first, recording, parts.flatMap(approvedRevisions));
  const gathered: GatherRecord = {
    ...about,
    kind: "gather",
    chain,
    parts: parts.map(({ party, inputs }) => {
      const content = inputs[0]?.payload?.content;
      const result = content?.$case === "result" ? content.value : undefined;
      return { provider: party, contents: contentsOf(result, recording.digest) };
    }),
  };
  return [gathered, ...effects.flatMap((effect) => failureOf(effect, first, about, chain))];
}

function failureOf(
  effect: Effect,
  first: Envelope,
  about: Omit<FailureRecord, "kind" | "step" | "chain" | "failure">,
  chain: string,
): FailureRecord[] {
  const content = effect.kind === "reply" ? effect.reply.content : undefined;
  if (content?.$case !== "failure") return [];
  const { code, step } = content.value;
  return [{ ...about, kind: "failure", step: step || first.step, chain, failure: labelOf(code ?? ErrorCode.INTERNAL) }];
}
