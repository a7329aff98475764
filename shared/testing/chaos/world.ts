/** Two instances of each party's sidecar over one RabbitMQ, that die and come back while queries run. */
import { randomUUID } from "node:crypto";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { systemClock } from "#adapters/system/clock";
import { dataSetKey } from "#domain/knowledge-keys";
import type { SidecarApi } from "#sidecar/client";
import { demoDocuments } from "../../../cli/demo/documents.ts";
import { apiOf, exchangeParty } from "../asker.ts";
import type { RabbitMq } from "../rabbitmq.ts";
import { type Instance, startInstance } from "./instance.ts";
import type { Gap, Wound } from "./plan.ts";
import { stepsOf } from "./steps.ts";

export interface ChaosWorld {
  /** Of the asker, which is never killed: an asker that dies takes its question along. Its connection is cut like any other. */
  readonly api: SidecarApi;
  readonly prefix: string;
  wound(wound: Wound): Promise<void>;
  /** Kills that happened. */
  readonly kills: Readonly<Record<string, number>>;
  /** Waits until everyone is back. */
  healed(): Promise<void>;
  close(): Promise<void>;
}

const instancesOfParty = 2;
const backAfterMs = 60;

export async function openChaosWorld(rabbitmq: RabbitMq): Promise<ChaosWorld> {
  const knowledge = createMemoryKnowledge({ clock: systemClock });
  for (const { key, value } of [...demoDocuments, dataSet("UVA"), dataSet("VU")]) {
    await knowledge.put(key, JSON.stringify(value));
  }
  const shared = { amqpPort: rabbitmq.port, prefix: `chaos${randomUUID().slice(0, 8)}.`, knowledge };
  const traps: Wound[] = [];
  const kills: Record<string, number> = {};
  const instances = new Map<string, Instance[]>();
  const starting = new Set<Promise<void>>();
  let restartingBroker: Promise<void> | undefined;
  let isOpen = true;

  /** Takes the first trap that fits, so that it snaps once. */
  function sprung(fits: (trap: Wound) => boolean, name: string): boolean {
    const index = traps.findIndex(fits);
    if (index < 0) return false;
    traps.splice(index, 1);
    kills[name] = (kills[name] ?? 0) + 1;
    return true;
  }

  async function start(party: string, isMortal: boolean): Promise<void> {
    const isKilledAt = (gap: Gap) =>
      isMortal &&
      // One stays: a party of which all are dead is offline, and says so before anything is sent to it.
      (instances.get(party)?.length ?? 0) >= instancesOfParty &&
      sprung((trap) => trap.kind === "sidecar" && trap.party === party && trap.gap === gap, `sidecar ${gap}`);
    const isWorkerKilled = () => sprung((trap) => trap.kind === "worker" && trap.party === party, "worker");
    const onKilled = (killed: Instance) => {
      instances.set(
        party,
        (instances.get(party) ?? []).filter((one) => one !== killed),
      );
      if (isOpen) inBackground(restart(party));
    };
    const instance = await startInstance({ party, ...shared, isKilledAt, isWorkerKilled, onKilled });
    if (instance.isAlive()) instances.set(party, [...(instances.get(party) ?? []), instance]);
  }

  async function restart(party: string): Promise<void> {
    await new Promise((resume) => setTimeout(resume, backAfterMs));
    // The broker may be away too; the wait is bounded by its restart.
    for (let tries = 0; tries < 100 && isOpen; tries++) {
      try {
        await start(party, true);
        return;
      } catch {
        await new Promise((resume) => setTimeout(resume, 200));
      }
    }
  }

  function inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => starting.delete(tracked));
    starting.add(tracked);
  }

  async function disturb(party: string, forMs: number, how: "cut" | "silence"): Promise<void> {
    const hit = instances.get(party) ?? [];
    for (const { proxy } of hit) proxy[how]();
    await new Promise((resume) => setTimeout(resume, forMs));
    for (const { proxy, isAlive } of hit) {
      // What was lost in the silence never comes: a connection can't go on without it.
      if (how === "silence") proxy.cut();
      if (isAlive()) proxy.heal();
    }
  }

  /** Two at once are one. */
  function restartBroker(): Promise<void> {
    restartingBroker ??= rabbitmq.restart().finally(() => {
      restartingBroker = undefined;
    });
    return restartingBroker;
  }

  for (const party of Object.keys(stepsOf)) {
    for (let i = 0; i < instancesOfParty; i++) await start(party, party !== exchangeParty || i > 0);
  }
  const asker = instances.get(exchangeParty)?.[0];
  if (asker === undefined) throw new RangeError("there is no asker");

  return {
    api: apiOf(asker.sidecar, knowledge),
    prefix: shared.prefix,
    kills,
    wound: async (wound) => {
      if (wound.kind === "sidecar" || wound.kind === "worker") {
        traps.push(wound);
        return;
      }
      kills[wound.kind] = (kills[wound.kind] ?? 0) + 1;
      if (wound.kind === "broker") await restartBroker();
      else inBackground(disturb(wound.party, wound.forMs, wound.kind));
    },
    healed: async () => {
      while (starting.size > 0) await Promise.all(starting);
    },
    close: async () => {
      isOpen = false;
      while (starting.size > 0) await Promise.all(starting);
      await Promise.all([...instances.values()].flat().map((instance) => instance.stop()));
      await knowledge.close();
    },
  };
}

function dataSet(party: string) {
  const tables = [{ name: "Personen", file: `Personen_${party}.csv` }];
  return {
    key: dataSetKey(party, "wageGap"),
    value: { name: "wageGap", party, type: "csv", delimiter: ";", tables },
  };
}
