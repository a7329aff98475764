/** Every part replaced, one after the other, while queries of every kind are asked: none may fail, or have another answer. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storedLines } from "../../../cli/audit/stored-records.ts";
import { verifyLines } from "../../../cli/audit/verify-lines.ts";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "../rabbitmq.ts";
import { type Stream, startStream } from "./stream.ts";
import { openRollingWorld, type RollingWorld, rollingParties } from "./world.ts";

const canRun = rabbitmqServer() !== undefined && process.env.DYNAMOS_TEST_AMQP_URL !== "";
if (!canRun) process.stderr.write("SKIPPED: parts are not replaced under queries, rabbitmq-server is needed for it\n");

const partMsMax = 180_000;

describe.skipIf(!canRun)("while queries are asked all the time", () => {
  /** Of its own: what is left on it in the end is counted. */
  let rabbitmq: RabbitMq;
  let world: RollingWorld;
  let stream: Stream;

  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
    world = await openRollingWorld({ brokerUrls: [rabbitmq.url], queueType: "classic" });
    const { orchestrator } = world;
    stream = await startStream({ orchestrator, perSecond: 1, runningMax: 4, timeoutMs: 60_000 });
  }, partMsMax);

  afterAll(async () => {
    await stream?.end();
    await world?.close();
    await rabbitmq?.stop();
  }, partMsMax);

  it.each(rollingParties)(
    "each sidecar of %s is replaced",
    async (party) => {
      await world.sidecars.get(party)?.roll();
      expect(stream.tally.failed).toEqual([]);
    },
    partMsMax,
  );

  it("each function is replaced", async () => {
    for (const fn of world.functions) await world.redeploy(fn);
    expect(stream.tally.failed).toEqual([]);
  }, 240_000);

  it(
    "each query has its one right answer, at the first try",
    async () => {
      const { right, failed, askedAgain } = await stream.end();
      expect({ failed, askedAgain }).toEqual({ failed: [], askedAgain: [] });
      expect(Object.keys(right)).toHaveLength(6);
    },
    partMsMax,
  );

  it(
    "nothing is left on the broker, each process ended by itself, and the records hold together",
    async () => {
      await world.stopFunctions();
      const codes = await world.stopSidecars();
      for (const party of rollingParties) expect([party, codes[party]]).toEqual([party, [0, 0, 0, 0]]);
      const queues = await rabbitmq.queues();
      // Asynchronous answers wait for their asker until they expire: what they are, and their rows.
      const answers = queues.filter(({ name }) => /^transfer\.exchange\..*\.answered-/.test(name));
      const rows = queues.filter(({ name }) => /^transfer\.(uva|vu)\.exchange\./.test(name));
      const left = queues.filter(
        ({ name, ready, unacknowledged }) =>
          !/^transfer\.\w+\.exchange\./.test(name) && (/^(transfer|reply)\./.test(name) || ready + unacknowledged > 0),
      );
      expect(left).toEqual([]);
      expect(rows.length).toBeLessThanOrEqual(2 * answers.length);
      const report = await verifyLines(storedLines(world.recordsFolder), {
        keys: undefined,
        heads: [],
        isSelection: false,
      });
      expect(report).toMatchObject({ problemsInAll: 0, unfinished: [] });
    },
    partMsMax,
  );
});
