/**
 * 1, 10 and 100 times as many at once as are always taken, by autocannon, over a RabbitMQ. Each is
 * answered rightly or sent away, and nothing is left behind. A pace that is a multiple of the measured one is offered
 * by A19 (cli/system/overload.test.ts).
 */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { limits } from "#domain/limits";
import { type LoadedSystem, openLoadedSystem } from "#testing/loaded-system";
import { collectGarbage, pidsWith, residentMib } from "#testing/resident-memory";
import { descendantsOf } from "../../cli/system/descendants.ts";
import { oneProvider } from "../questions.ts";
import { drive } from "./drive.ts";

const atOnce = limits.runningQueriesFree;
/** What is taken is to come within half of it: also where something else takes the machine meanwhile. */
const queryMsMax = 60_000;
const asked = [{ ...oneProvider, body: { ...oneProvider.body, timeoutMs: queryMsMax } }];
/** Above the base: a heap grows to its size under load and is not given back at once. */
const growthMibMax = 80;
/** Connections that are kept for the next request. */
const growthFilesMax = 40;
const timeoutMs = 180_000;

describe.skipIf(inject("amqpUrl") === "")("a system under more load than it can do", () => {
  let loaded: LoadedSystem;
  let environment: { GATEWAY: string; TOKEN: string };
  let base: ReadonlyMap<string, Held>;

  beforeAll(async () => {
    loaded = await openLoadedSystem({ broker: "rabbitmq", sidecars: "in-process" });
    environment = { GATEWAY: loaded.system.url, TOKEN: loaded.token };
    // Warm: whatever a process takes once, it has by now; and the orchestrator knows its pace.
    await drive({ ...environment, connections: atOnce, until: { requests: 3 * atOnce }, asked });
    base = held();
  }, timeoutMs);

  afterAll(() => loaded?.stop(), 60_000);

  it.each([1, 10, 100])(
    "answers each of x%d rightly or sends it away, within its time",
    async (times) => {
      const requests = atOnce * times;
      const driven = await drive({ ...environment, connections: requests, until: { requests }, asked });
      const { right, shed, wrong, unanswered, firstWrong, latency } = driven;
      expect({ wrong, unanswered, firstWrong }).toEqual({ wrong: 0, unanswered: 0, firstWrong: undefined });
      expect(right + shed).toBe(requests);
      expect(right).toBeGreaterThan(0);
      expect(latency.max).toBeLessThan(queryMsMax);
    },
    timeoutMs,
  );

  it(
    "leaves no message, no request and no gather behind",
    async () => {
      await expect.poll(() => leftIn(`${loaded.system.url}/metrics`), { timeout: 30_000, interval: 1_000 }).toEqual([]);
    },
    timeoutMs,
  );

  it(
    "leaves no connection open and no memory taken",
    async () => {
      const more = () =>
        [...held()].filter(([name, { mib, files }]) => {
          const before = base.get(name) ?? { mib: 0, files: 0 };
          return mib > before.mib + growthMibMax || files > before.files + growthFilesMax;
        });
      await expect.poll(more, { timeout: 90_000, interval: 2_000 }).toEqual([]);
    },
    timeoutMs,
  );
});

interface Held {
  readonly mib: number;
  /** Open files, sockets among them. */
  readonly files: number;
}

/** By the name of the process: gateway and sidecars are in the test's own, as is what asks. */
function held(): Map<string, Held> {
  const [orchestrator] = pidsWith("/orchestrator/", descendantsOf(process.pid));
  const pids = new Map([
    ["orchestrator", orchestrator],
    ["sidecars and gateway", process.pid],
  ]);
  collectGarbage();
  return new Map(
    [...pids].map(([name, pid]) => {
      if (pid === undefined) throw new Error(`there is no process of the ${name}`);
      return [name, { mib: residentMib(pid), files: readdirSync(`/proc/${pid}/fd`).length }];
    }),
  );
}

/** The figures that are 0 at rest, where they are not. */
async function leftIn(url: string): Promise<string[]> {
  const text = await (await fetch(url)).text();
  const lines = text.split("\n").filter((line) => /^dynamos_(open_\w+|queue_messages_ready)\{/.test(line));
  if (lines.length === 0) return ["there are no figures"];
  return lines.filter((line) => !line.endsWith(" 0"));
}
