/** A12: a provider's sidecar is gone, or its machine hangs. */
import { expect, it } from "vitest";
import { limits } from "#domain/limits";
import { ask } from "../../../cli/commands/ask.ts";
import { leavingOf } from "../broker-tap.ts";
import { busyProcesses } from "../busy-processes.ts";
import type { PolicyWorld } from "../policy-world.ts";
import { resultsOf } from "../wage-gap-data.ts";

const withoutVu = { complete: true, refused: [{ provider: "VU", code: "PROVIDER_OFFLINE" }] };
const whole = { status: 200, body: { complete: true, refused: [] } };
/** For some seconds. */
const whileAtVu =
  "SELECT max(a.Unieknr % (1 + b.Unieknr)) AS n FROM (SELECT * FROM Personen WHERE Instcode = 'DDD') a, Personen b";
const waits = { timeout: 30_000, interval: 200 };
/** For a machine that does much more. */
const slackMs = 10_000;

export function offlineProviders(world: () => PolicyWorld, sidecars: "in-process" | "processes"): void {
  it("A12: names VU whose sidecar has left, at once, and asks it again when it is back", async () => {
    const { query, real } = world();
    await real.system.sidecars.stopOne("VU");
    try {
      const answer = await query();
      expect(answer).toMatchObject({ status: 200, body: withoutVu });
      expect(resultsOf(answer).map(({ party }) => party)).toEqual(["UVA"]);
      expect(await query({ providers: ["VU"] })).toMatchObject({ status: 503, body: { code: "PROVIDER_OFFLINE" } });
    } finally {
      await real.system.sidecars.startOne("VU");
    }
    await expect.poll(() => query(), waits).toMatchObject(whole);
  }, 90_000);

  it.skipIf(sidecars === "in-process")(
    "A12: names VU whose sidecar hangs, within its lease, to a query that runs, and tells a steward that it waits",
    async () => {
      const { query, real } = world();
      const pid = real.system.sidecars.pid("VU") as number;
      process.kill(pid, "SIGSTOP");
      try {
        const sentAt = performance.now();
        const running = query({ timeoutMs: 60_000 });
        const changed = await real.changeAgreement("UVA", (agreement) => agreement);
        expect(changed.headers.get("dynamos-waiting")).toBe("VU");
        expect(changed.headers.get("dynamos-applied")).toBe("SURF, UVA, exchange");
        const answer = await running;
        const tookMs = performance.now() - sentAt;
        expect(answer).toMatchObject({ status: 200, body: withoutVu });
        expect(tookMs).toBeLessThan(limits.partyLeaseMs + limits.partyGoneMs + slackMs);
        process.stdout.write(`A12: a query learnt after ${Math.round(tookMs)} ms that VU hangs\n`);
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await expect.poll(() => query(), waits).toMatchObject(whole);
      expect(real.system.sidecars.pid("VU")).toBe(pid);
    },
    90_000,
  );

  it.skipIf(sidecars === "in-process")(
    "A9, A12: lets nothing out that VU's sidecar finds done when it wakes, when the user was removed meanwhile",
    async () => {
      const { query, real, tap, recordsOf } = world();
      const pid = real.system.sidecars.pid("VU") as number;
      const atWork = async () => (await busyProcesses("/data/VU", 300)).length > 0;
      const running = ask(real.orchestrator, { providers: ["VU"], sql: whileAtVu, timeoutMs: 100_000 });
      await expect.poll(atWork, waits).toBe(true);
      process.kill(pid, "SIGSTOP");
      let mark = 0;
      try {
        await expect.poll(atWork, { ...waits, timeout: 60_000 }).toBe(false);
        const { headers } = await real.changeAgreement("VU", (agreement) => ({ ...agreement, relations: {} }));
        // Without VU: its machine may hang for ever, and a steward's change does not wait for ever.
        expect(headers.get("dynamos-applied")).toBe("SURF, UVA, exchange");
        mark = (await tap?.mark()) ?? 0;
      } finally {
        process.kill(pid, "SIGCONT");
      }
      const { status, body } = await running;
      expect([403, 503]).toContain(status);
      const kinds = async () => (await recordsOf("VU", body.id)).map(({ kind }) => kind);
      // It may try again once it has its place in the knowledge base back, and then learns that it may not.
      await expect.poll(async () => (await kinds()).at(-1), waits).toBe("failure");
      expect(await kinds()).not.toContain("release");
      await tap?.mark();
      expect(tap?.heard.slice(mark).flatMap((one) => leavingOf(one, "VU") ?? [])).toEqual([]);
      await real.changeAgreement("VU", (agreement) => agreement);
      await expect.poll(() => query(), waits).toMatchObject(whole);
    },
    120_000,
  );
}
