/** One instance of a party's sidecar that can be killed at a given point, as a process would be. */
import { randomUUID } from "node:crypto";
import { connectAmqp } from "#adapters/amqp/broker";
import { createMemoryInvoker } from "#adapters/memory/invoker";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Broker } from "#ports/broker";
import type { Invoker } from "#ports/invoker";
import type { Knowledge } from "#ports/knowledge";
import type { Transfers } from "#ports/transfers";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";
import { exchangeParty } from "../asker.ts";
import { openTcpProxy, type TcpProxy } from "../tcp-proxy.ts";
import type { Gap } from "./plan.ts";
import { stepsOf } from "./steps.ts";

export interface InstanceOptions {
  readonly party: string;
  readonly amqpPort: number;
  readonly prefix: string;
  readonly knowledge: Knowledge;
  /** Whether this instance dies here and now; asked at each point of each hop. */
  readonly isKilledAt: (gap: Gap) => boolean;
  /** Whether the worker of this invocation dies. */
  readonly isWorkerKilled: () => boolean;
  readonly onKilled: (instance: Instance) => void;
}

export interface Instance {
  readonly sidecar: Sidecar;
  readonly proxy: TcpProxy;
  readonly isAlive: () => boolean;
  /** Resolves when its connection is gone for the broker too. */
  kill(): Promise<void>;
  /** As on SIGTERM. */
  stop(): Promise<void>;
}

/** Longer than any query of a run, so that what nobody could drop is gone soon after the last. */
const transferMsMax = 18_000;

export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { party, prefix, knowledge } = options;
  const log = createMemoryLog();
  const proxy = await openTcpProxy(options.amqpPort);
  const url = `amqp://test:test@127.0.0.1:${proxy.port}?heartbeat=2`;
  const real = await connectAmqp({ url, party, log, prefix, publishWaitMs: 3_000, publishConfirmMs: 1_500 });
  let alive = true;
  let sidecar: Sidecar | undefined;
  const instance: Instance = {
    get sidecar() {
      if (sidecar === undefined) throw new RangeError("not started yet");
      return sidecar;
    },
    proxy,
    isAlive: () => alive,
    kill: async () => {
      if (!alive) return;
      alive = false;
      proxy.cut();
      options.onKilled(instance);
      await real.close();
      await sidecar?.stop().catch(() => {});
      await proxy.close();
    },
    stop: async () => {
      alive = false;
      await sidecar?.stop();
      await real.close();
      await proxy.close();
    },
  };

  function dieAt(gap: Gap): void {
    if (!alive || options.isKilledAt(gap)) {
      void instance.kill();
      throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `killed: ${gap}`);
    }
  }

  sidecar = await startSidecar({
    party,
    exchangeParty,
    instance: randomUUID(),
    broker: mortalBroker(real, dieAt),
    knowledge,
    invoker: mortalInvoker(party, dieAt, options.isWorkerKilled),
    clock: systemClock,
    log,
  });
  // Killed as soon as it took its first message.
  if (!alive) await sidecar.stop().catch(() => {});
  return instance;
}

function mortalInvoker(party: string, dieAt: (gap: Gap) => void, isWorkerKilled: () => boolean): Invoker {
  const steps = (stepsOf[party] ?? []).map((step) => ({
    name: `${party.toLowerCase()}-${step.name}`,
    topic: `${party.toLowerCase()}.${step.name}`,
    step,
  }));
  const real = createMemoryInvoker(steps, { clock: systemClock, environment: {} });
  return {
    ...real,
    invoke: async (name, invocation, invokeOptions) => {
      dieAt("taken");
      if (isWorkerKilled()) throw new DynamosError(ErrorCode.WORKER_CRASHED, "the worker was killed");
      const outcome = await real.invoke(name, invocation, invokeOptions);
      dieAt("invoked");
      return outcome;
    },
  };
}

function mortalBroker(real: Broker, dieAt: (gap: Gap) => void): Broker {
  const transfers: Transfers = {
    ...real.transfers,
    open: (target) => real.transfers.open({ ...target, expiresInMs: Math.min(target.expiresInMs, transferMsMax) }),
  };
  return {
    declare: (queues) => real.declare(queues),
    consume: (queue, options, handler) => real.consume(queue, options, handler),
    takeDeadLetters: (max) => real.takeDeadLetters(max),
    visitDeadLetters: (max, visit) => real.visitDeadLetters(max, visit),
    status: () => real.status(),
    onStatus: (listener) => real.onStatus(listener),
    close: () => real.close(),
    transfers,
    publish: async (message) => {
      const confirmed = real.publish(message);
      confirmed.catch(() => {});
      dieAt("published");
      await confirmed;
      dieAt("confirmed");
    },
  };
}
