/** The functions that are deployed. One is replaced without losing a call: the new one is ready before the old one goes. */
import type { Log } from "#ports/log";
import type { StackFunction } from "../stack/read-stack.ts";
import { type DeployedFunction, deploy } from "./deployed-function.ts";

export interface FunctionTableOptions {
  /** What a function gets beside the environment of the stack. */
  readonly environmentFor: (fn: StackFunction) => Readonly<Record<string, string>>;
  readonly log: Log;
}

/** Processes that start at the same time: more only get in each other's way. */
const startsAtOnceMax = 4;

export class FunctionTable {
  private readonly options: FunctionTableOptions;
  private readonly byName = new Map<string, DeployedFunction>();
  /** Those too that are starting, or still have calls in hand. */
  private readonly living = new Set<DeployedFunction>();
  /** Changes of one function, one after the other. */
  private readonly turns = new Map<string, Promise<unknown>>();
  private closed = false;

  constructor(options: FunctionTableOptions) {
    this.options = options;
  }

  get(name: string): DeployedFunction | undefined {
    return this.byName.get(name);
  }

  list(): DeployedFunction[] {
    return [...this.byName.values()];
  }

  /** All of a stack, listed at once. @throws Error naming the one that is not ready; those in hand have ended then */
  async startAll(specs: readonly { readonly spec: StackFunction; readonly folder: string }[]): Promise<void> {
    const waiting = specs.map(({ spec, folder }) => this.make(spec, folder));
    for (const fn of waiting) this.byName.set(fn.spec.name, fn);
    const failures: unknown[] = [];
    const starter = async () => {
      for (let fn = waiting.shift(); fn !== undefined && failures.length === 0; fn = waiting.shift()) {
        await fn.process.start().catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: startsAtOnceMax }, starter));
    if (failures.length > 0) throw failures[0];
  }

  /**
   * Puts it in the place of the one of that name, once it is ready.
   * @param how `create`: only where there is none; `update`: only where there is one
   * @returns false where that is not so
   * @throws Error with its last lines when it does not become ready; what was there goes on
   */
  put(spec: StackFunction, folder: string, how: "create" | "update"): Promise<boolean> {
    return this.inTurn(spec.name, async () => {
      if (this.byName.has(spec.name) !== (how === "update")) return false;
      const fresh = this.make(spec, folder);
      try {
        await fresh.process.start();
      } catch (error) {
        this.living.delete(fresh);
        throw error;
      }
      const before = this.byName.get(spec.name);
      fresh.invocations = before?.invocations ?? 0;
      this.byName.set(spec.name, fresh);
      if (before !== undefined) this.retire(before);
      return true;
    });
  }

  /** From now on there is none of that name; the calls that it has in hand end. @returns false where there was none */
  remove(name: string): Promise<boolean> {
    return this.inTurn(name, async () => {
      const fn = this.byName.get(name);
      if (fn !== undefined) this.retire(fn);
      return this.byName.delete(name);
    });
  }

  /** Ends every process. */
  async stop(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.living].map((fn) => fn.process.stop()));
  }

  private make(spec: StackFunction, folder: string): DeployedFunction {
    if (this.closed) throw new Error("the gateway is stopping");
    const fn = deploy(spec, folder, this.options.environmentFor(spec), this.options.log);
    this.living.add(fn);
    return fn;
  }

  private retire(fn: DeployedFunction): void {
    void fn.calls
      .none(fn.callMsMax)
      .then(() => fn.process.stop(fn.callMsMax))
      .finally(() => this.living.delete(fn));
  }

  private inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const done = (this.turns.get(name) ?? Promise.resolve()).then(work);
    const settled = done.catch(() => {});
    this.turns.set(name, settled);
    void settled.finally(() => {
      if (this.turns.get(name) === settled) this.turns.delete(name);
    });
    return done;
  }
}
