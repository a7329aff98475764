/** The next step of the control chain, where it need not wait in a queue. */
import type { Envelope } from "#contracts";
import type { Effect } from "#domain/carry-out";
import type { HopTools } from "./hop.ts";

/**
 * Control steps see no rows, decide in milliseconds, and are pure: a query whose sidecar dies between two of them is
 * decided on again, from the message that is not acknowledged yet.
 *
 * @param effects of a control hop
 * @returns its envelope, when it is all that came of the hop and the step is served here; else the effects are to be published
 */
export function nextControl(
  effects: readonly Effect[],
  tools: Pick<HopTools, "party" | "functionFor">,
): Envelope | undefined {
  const [effect] = effects;
  if (effects.length !== 1 || effect?.kind !== "send") return undefined;
  const { envelope } = effect;
  return envelope.party === tools.party && tools.functionFor(envelope.step) !== undefined ? envelope : undefined;
}
