import type { Envelope, Outcome, Payload } from "#contracts";
import type { TableFlow } from "./table-flow.ts";

/** What kind of payload each of an envelope's inputs must hold. */
export type PayloadKind = NonNullable<Payload["content"]>["$case"] | "nothing";

/** What a step may know beside its envelope. */
export interface StepContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Empty, of this invocation alone, removed after it. */
  readonly temporaryFolder: string;
}

/**
 * One step of a chain.
 *
 * `facts` is the only part that may wait, read files and tables and look at the clock; it throws a
 * DynamosError for what the world causes. `decide` is pure: equal input, equal outcome.
 */
export interface StepDefinition<Facts> {
  /** As in the catalogue, e.g. `sql-query`. */
  readonly name: string;
  /** `single-use`: a fresh process for each envelope, killed after it. `shared`: sees no rows, stays alive. */
  readonly isolation: "single-use" | "shared";
  readonly accepts: PayloadKind;
  readonly facts: (envelope: Envelope, context: StepContext, flow: TableFlow) => Promise<Facts> | Facts;
  readonly decide: (envelope: Envelope, facts: Facts) => Outcome;
  /**
   * `spawn`: ordinary processes suit it better than forked ones, because it opens an engine with threads of its own.
   * Where it is forked all the same it rehearses in each child, not before the fork.
   */
  readonly workers?: "spawn";
  /**
   * Steps that often follow it: its bundle has a worker that holds them too. Whether that worker is used, and for which
   * of them, the function's operator says by the setting `fuse`.
   */
  readonly fusible?: readonly string[];
  /**
   * Runs the step's own code on made-up input before a worker says that it is ready, so that
   * the first and only real envelope meets warm code.
   */
  readonly rehearse?: (context: StepContext) => Promise<void>;
}

/** A step with its facts' type hidden, as the runtime holds it. */
// biome-ignore lint/suspicious/noExplicitAny: the runtime passes facts from `facts` to `decide` unseen.
export type Step = StepDefinition<any>;

export function defineStep<Facts>(definition: StepDefinition<Facts>): StepDefinition<Facts> {
  return definition;
}
