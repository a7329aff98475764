/** The five things that a step can decide. */
import type { Envelope, ErrorCode, Outcome, Payload, Plan, Reason, Result } from "#contracts";

export function forward(payload: Payload): Outcome {
  return { decision: { $case: "forward", value: { payload } } };
}

export function forwardResult(result: Result): Outcome {
  return forward({ content: { $case: "result", value: result } });
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
