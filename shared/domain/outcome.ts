/** What a step can decide. */
import type { Envelope, ErrorCode, Outcome, Payload, Plan, Reason, Result } from "#contracts";

export function forward(payload: Payload, dataRevision = ""): Outcome {
  return { decision: { $case: "forward", value: { payload, dataRevision } } };
}

/** @param dataRevision of what was read for it; empty: not known, or nobody asks */
export function forwardResult(result: Result, dataRevision = ""): Outcome {
  return forward({ content: { $case: "result", value: result } }, dataRevision);
}

/** @param unchanged whether the data is what the answer that is asked about was made of */
export function compare(unchanged: boolean): Outcome {
  return { decision: { $case: "comparison", value: { unchanged } } };
}

export function fanOut(plan: Plan, envelopes: Envelope[]): Outcome {
  return { decision: { $case: "fanOut", value: { plan, envelopes } } };
}

export function refuse(reasons: Reason[]): Outcome {
  return { decision: { $case: "refusal", value: { reasons } } };
}

/** @param message lower case, no final stop, no secret, no value from the data */
export function fail(code: ErrorCode, message: string): Outcome {
  return { decision: { $case: "failure", value: { code, message, party: "", step: "" } } };
}
