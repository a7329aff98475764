/** From what a step hands on to what the chain's next step gets: the same, whether by its queue or in the same process. */
import type { Envelope, Outcome, Payload } from "#contracts";

/** @returns undefined: the chain ends with this hop */
export function nextHop(envelope: Envelope, payload: Payload): Envelope | undefined {
  const hop = envelope.hop + 1;
  const step = envelope.chain?.steps[hop];
  if (step === undefined) return undefined;
  const input = { provider: envelope.inputs[0]?.provider ?? "", payload, failure: undefined };
  return { ...envelope, step, hop, inputs: [input] };
}

/**
 * Those of the chain's next steps that the process of this one may run too.
 * @param allowed by whoever operates the function
 */
export function fusibleSteps({ chain, hop }: Pick<Envelope, "chain" | "hop">, allowed: readonly string[]): string[] {
  // The control chain decides what is allowed at all; each of its steps stays by itself.
  if (chain === undefined || chain.id === "") return [];
  const next = chain.steps.slice(hop + 1);
  const end = next.findIndex((step) => !allowed.includes(step));
  return end === -1 ? next : next.slice(0, end);
}

/** Whether a payload may go on within a process: its table is inside, or described, which its record needs. */
export function mayStay({ content }: Payload): boolean {
  if (content?.$case !== "result") return false;
  const transfer = content.value.table?.transfer;
  return transfer === undefined || (transfer.name === "" && transfer.sha256.length === sha256Bytes);
}

const sha256Bytes = 32;

/** Whether an outcome's table is nowhere but in the process that made it. */
export function isWithheld({ decision }: Outcome): boolean {
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" && content.value.table?.transfer?.name === "";
}
