/** A9: a user is removed from an agreement while their query runs. */
import { expect, it } from "vitest";
import { fieldsOf, storedLines } from "../../../cli/audit/stored-records.ts";
import { ask } from "../../../cli/commands/ask.ts";
import { leavingOf } from "../broker-tap.ts";
import { busyProcesses } from "../busy-processes.ts";
import { both, type PolicyWorld } from "../policy-world.ts";
import { resultsOf } from "../wage-gap-data.ts";

/** Much at UVA, nothing at VU. */
const atUva = "FROM (SELECT * FROM Personen WHERE Instcode = 'AAA') a, Personen b";
const longAtUva = `SELECT max(a.Unieknr % (1 + b.Unieknr + c.Unieknr)) AS n ${atUva}, Personen c`;
const manyAtUva = `SELECT a.Unieknr, b.Gebdat ${atUva}`;
const timeoutMs = 100_000;
const waits = { timeout: 20_000, interval: 100 };
const measured = 5;

export function stoppedQueries(world: () => PolicyWorld): void {
  it("A9: stops what runs at UVA when the user is removed, and the others go on", async () => {
    const running = ask(world().real.orchestrator, { providers: both, sql: longAtUva, timeoutMs });
    await expect.poll(atWork, waits).toBe(true);
    await stops(running, "VU");
  }, 90_000);

  it("A9: stops what UVA sends to the third party when the user is removed", async () => {
    await world().agree("UVA", {}, { demandedSteps: {} });
    const before = await tablesOpened(world());
    const options = { aggregate: true };
    const running = ask(world().real.orchestrator, { providers: both, sql: manyAtUva, options, timeoutMs });
    await expect.poll(() => tablesOpened(world()), waits).toBe(before + 1);
    await stops(running, "SURF");
  }, 90_000);

  it(`A9: stops it ${measured} times of ${measured} when UVA alone is asked`, async () => {
    const { real, agree, stopMs } = world();
    for (let i = 0; i < measured; i++) {
      const running = ask(real.orchestrator, { providers: ["UVA"], sql: longAtUva, timeoutMs });
      const stopped = running.then((answer) => ({ ...answer, atMs: performance.now() }));
      await expect.poll(atWork, waits).toBe(true);
      const { sentAtMs } = await agree("UVA", undefined);
      const { status, body, atMs } = await stopped;
      stopMs.push(atMs - sentAtMs);
      expect({ status, code: body.code }).toEqual({ status: 403, code: "REVOKED" });
      expect(String(body.detail)).toContain("UVA");
      await agree("UVA", {});
    }
  }, 120_000);

  /** Removes the user. From then on nothing of UVA's leaves it, and the answer is that of the others. */
  async function stops(running: ReturnType<typeof ask>, answering: string): Promise<void> {
    const { agree, query, recordsOf, tap } = world();
    await agree("UVA", undefined);
    const acknowledgedAtMs = Date.now();
    const mark = await tap?.mark();
    const answer = await running;
    expect(answer).toMatchObject({
      status: 200,
      body: { complete: true, failed: [], refused: [{ provider: "UVA", code: "REVOKED" }] },
    });
    expect(resultsOf(answer).map(({ party, ...result }) => [party, "providers" in result && result.providers])).toEqual(
      [[answering, ["VU"]]],
    );
    await expect.poll(atWork, waits).toBe(false);
    const released = (await recordsOf("UVA", answer.body.id)).filter(({ kind }) => kind === "release");
    expect(released.filter(({ atMs, what }) => what !== "opened" || Number(atMs) > acknowledgedAtMs)).toEqual([]);
    await tap?.mark();
    expect(tap?.heard.slice(mark).flatMap((one) => leavingOf(one, "UVA") ?? []) ?? []).toEqual([]);
    const next = await query({ providers: ["UVA"] });
    expect(next).toMatchObject({ status: 403, body: { code: "DENIED" } });
    expect(String(next.body.detail)).toContain("UVA");
  }
}

/** Whether a function of UVA computes. */
async function atWork(): Promise<boolean> {
  return (await busyProcesses("/data/UVA", 300)).length > 0;
}

/** Tables that UVA has begun to send to somebody else. */
async function tablesOpened({ folder }: PolicyWorld): Promise<number> {
  let count = 0;
  for await (const { text } of storedLines(`${folder}/records`, "UVA")) {
    const { kind, what, to } = fieldsOf(text);
    if (kind === "release" && what === "opened" && to === "surf") count += 1;
  }
  return count;
}
