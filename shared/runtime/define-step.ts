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

export interface PreparedContext<Prepared> extends StepContext {
  /** What the step's `prepare` made; absent: there was no time, or it failed. */
  readonly prepared?: Prepared;
}

/**
 * One step of a chain.
 *
 * `facts` is the only part that may wait, read files and tables and look at the clock; it throws a
 * DynamosError for what the world causes. `decide` is pure: equal input, equal outcome.
 */
export interface StepDefinition<Facts, Prepared = unknown> {
  /** As in the catalogue, e.g. `sql-query`. */
  readonly name: string;
  /** `single-use`: a fresh process for each envelope, killed after it. `shared`: sees no rows, stays alive. */
  readonly isolation: "single-use" | "shared";
  readonly accepts: PayloadKind;
  readonly facts: (envelope: Envelope, context: PreparedContext<Prepared>, flow: TableFlow) => Promise<Facts> | Facts;
  readonly decide: (envelope: Envelope, facts: Facts) => Outcome;
  /**
   * How names of files in `data_dir` end that say where on the network data is: where the door finds one at its start,
   * forked workers keep the network, unless the setting `worker_network` says otherwise.
   */
  readonly networkFiles?: string;
  /**
   * Steps that often follow it: its bundle has a worker that holds them too. Whether that worker is used, and for which
   * of them, the function's operator says by the setting `fuse`.
   */
  readonly fusible?: readonly string[];
  /**
   * Runs the step's own code on made-up input before a worker says that it is ready, so that
   * the first and only real envelope meets warm code. Where workers are forked it runs before the fork, and once more
   * after one, with what was prepared: if that fails none are forked.
   */
  readonly rehearse?: (context: PreparedContext<Prepared>) => Promise<void>;
  /**
   * What any call would need and the one call will use, made after the rehearsal and, where workers are forked, before
   * the fork: it holds neither rows nor secrets, and no thread, file or connection. What fails is left to the call.
   */
  readonly prepare?: (context: StepContext) => Promise<Prepared>;
}

/** A step with its facts' type hidden, as the runtime holds it. */
// biome-ignore lint/suspicious/noExplicitAny: the runtime passes facts from `facts` to `decide` unseen.
export type Step = StepDefinition<any, any>;

export function defineStep<Facts, Prepared = unknown>(
  definition: StepDefinition<Facts, Prepared>,
): StepDefinition<Facts, Prepared> {
  return definition;
}
