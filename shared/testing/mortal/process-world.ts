/** A system whose sidecars are real processes, `dynamos sidecar`, two of each party; only the asker's is in this one. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createMemoryLog } from "#adapters/memory/log";
import { serveKnowledge } from "#sidecar/grpc-server";
import { SidecarProcess } from "../../../cli/system/sidecar-process.ts";
import { approvalEnvironment } from "../approval-keys.ts";
import { exchangeParty } from "../asker.ts";
import type { Crash } from "./life.ts";
import { startMadeUpGateway } from "./made-up-gateway.ts";
import { type MortalWorld, mortalLinks, mortalParties, openMortalWorld } from "./world.ts";

export interface ProcessWorld extends MortalWorld {
  /** SIGKILL to one that is ready; it is started again. @returns whether there was one */
  killProcess(party: string): boolean;
  /** Resolves when each of them is there again, or after a while. */
  allReady(): Promise<void>;
  /** SIGTERM to all. @returns the ids of those that are still there */
  stopProcesses(): Promise<number[]>;
}

export interface ProcessWorldOptions {
  readonly brokerUrl: string;
  readonly crashes: (name: string) => Crash | undefined;
}

const perParty = 2;
/** A Node that compiles TypeScript, on a busy machine. */
const readyTriesMax = 120;
const lookAgainMs = 500;
const main = resolve(import.meta.dirname, "../../../cli/main.ts");

/** Under the names of production: one such world a broker. */
export async function openProcessWorld({ brokerUrl, crashes }: ProcessWorldOptions): Promise<ProcessWorld> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-processes-"));
  const world = await openMortalWorld({ links: mortalLinks(brokerUrl, "") });
  const knowledge = `unix://${join(folder, "knowledge.sock")}`;
  const grpc = await serveKnowledge(world.knowledge, knowledge);
  const gateway = await startMadeUpGateway(crashes);
  const processes = mortalParties.flatMap((party) =>
    Array.from({ length: perParty }, () => processOf({ party, knowledge, gatewayUrl: gateway.url, brokerUrl })),
  );
  const seen = new Set<number>();

  function pidsOf(some: readonly SidecarProcess[]): number[] {
    const pids = some.flatMap(({ pid }) => pid ?? []);
    for (const pid of pids) seen.add(pid);
    return pids;
  }

  async function stopProcesses(): Promise<number[]> {
    pidsOf(processes.map(({ process }) => process));
    await Promise.all(processes.map(({ process }) => process.stop()));
    return [...seen].filter(isAlive);
  }

  async function close(): Promise<void> {
    await stopProcesses();
    await grpc.stop();
    await gateway.stop();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    // One after the other: each is a Node that compiles TypeScript, and the machine may be small.
    for (const { process } of processes) await process.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...world,
    killProcess: (party) => {
      const [pid] = pidsOf(
        processes.filter((one) => one.party === party && one.process.isReady).map((one) => one.process),
      );
      if (pid === undefined) return false;
      process.kill(pid, "SIGKILL");
      return true;
    },
    allReady: async () => {
      const areReady = () => processes.every((one) => one.process.isReady);
      for (let tries = 0; tries < readyTriesMax && !areReady(); tries++) await wait(lookAgainMs);
    },
    stopProcesses,
    close,
  };
}

interface Place {
  readonly party: string;
  readonly knowledge: string;
  readonly gatewayUrl: string;
  readonly brokerUrl: string;
}

function processOf({ party, knowledge, gatewayUrl, brokerUrl }: Place) {
  const command = [
    ...["--import", import.meta.resolve("tsx"), main, "sidecar", "--party", party, "--exchange-party", exchangeParty],
    ...["--knowledge", knowledge, "--gateway", gatewayUrl, "--drain", "0", "--log-level", "error"],
    ...["--approval-keys", approvalEnvironment.approval_keys_file],
  ];
  const environment = { ...process.env, DYNAMOS_BROKER: brokerUrl };
  return { party, process: new SidecarProcess({ party, command, environment, log: createMemoryLog() }) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
