/** A30: what was decided is on record at each party, and the command shows whether it is as it was written. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fieldsOf } from "../../../cli/audit/stored-records.ts";
import { publicKeyName } from "../../../cli/system/party-records.ts";
import { dynamosCommand } from "../dynamos-command.ts";
import { type PolicyWorld, researcher } from "../policy-world.ts";

const parties = ["SURF", "UVA", "VU", "exchange"];

export function onRecord(world: () => PolicyWorld): void {
  it("A30: the decision on a query is on record with its rule and revision", async () => {
    const { agree, query, recordsOf } = world();
    const { revision } = await agree("UVA", { allowedAlgorithms: ["averages"] });
    const { body } = await query();
    const decisions = (await recordsOf("exchange", body.id)).filter(({ kind }) => kind === "decision");
    expect(decisions).toMatchObject([
      {
        provider: "UVA",
        allowed: false,
        user: { name: researcher },
        rules: [{ code: "DENIED", clause: `relations["${researcher}"].allowedAlgorithms` }],
        agreements: [{ provider: "UVA", revision }],
      },
      { provider: "VU", allowed: true, agreements: [{ provider: "VU", revision: expect.any(Number) }] },
    ]);
    expect((await recordsOf("UVA", body.id)).filter(({ kind }) => kind === "release")).toEqual([]);
    const [result] = (await recordsOf("VU", body.id)).filter(({ what }) => what === "result");
    expect(result).toMatchObject({ kind: "release", to: "exchange", user: { name: researcher } });
  });

  it("A30: the exported record of every party is verified, and a changed byte is found in each", async () => {
    const { folder } = world();
    const records = join(folder, "records");
    const audit = (...words: string[]) => dynamosCommand(folder, "audit", ...words);
    const exported = await audit("export", "--records", records);
    expect(exported).toMatchObject({ status: 0, stderr: "" });
    const lines = exported.stdout.trimEnd().split("\n");
    const victims = parties.map((party) => victimOf(lines, party));
    const changed = lines.map((line, at) => (victims.includes(at) ? withByteChanged(line) : line));
    const verify = async (name: string, text: string) => {
      const file = join(folder, name);
      await writeFile(file, text);
      return audit("verify", file, ...parties.flatMap((party) => ["--key", join(records, party, publicKeyName)]));
    };
    const [whole, spoilt] = await Promise.all([
      verify("whole.jsonl", exported.stdout),
      verify("spoilt.jsonl", `${changed.join("\n")}\n`),
    ]);
    expect(whole).toMatchObject({ status: 0, stderr: "" });
    expect(whole.stdout).toContain(`verified: ${lines.length} records of `);
    expect(spoilt.status).toBe(1);
    expect(spoilt.stdout).toContain(`NOT VERIFIED: ${parties.length} problems`);
    for (const [i, party] of parties.entries()) {
      expect(whole.stdout).toMatch(new RegExp(`^${party}/\\S+: up to record \\d+`, "m"));
      const { instance, seq } = fieldsOf(lines[victims[i] ?? 0] ?? "");
      expect(spoilt.stdout).toContain(`altered: record ${seq} of ${party}/${instance}`);
    }
  }, 90_000);
}

/** Index of a record in the middle of a party's. */
function victimOf(lines: readonly string[], party: string): number {
  const own = lines.flatMap((line, at) => (fieldsOf(line).party === party ? [at] : []));
  return own[Math.floor(own.length / 2)] ?? 0;
}

/** In its time: it stays a record, of another moment. */
function withByteChanged(line: string): string {
  return line.replace(/("atMs":\d+)(\d)/, (_, before, last) => `${before}${last === "0" ? "1" : "0"}`);
}
