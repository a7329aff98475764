import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command } from "commander";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onlineKey } from "#domain/knowledge-keys";
import { type KnowledgeApp, openKnowledgeApp } from "#testing/knowledge-app";
import type { CallerEnv } from "../../functions/orchestrator/caller.ts";
import { knowledgeApi } from "../../functions/orchestrator/knowledge-api.ts";
import { policyApi } from "../../functions/orchestrator/policy-api.ts";
import { demoDocuments, demoUser } from "../demo/documents.ts";
import { addPolicyCommand } from "./policy.ts";

let folder: string;
let app: KnowledgeApp;
let server: Server;
let gateway: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "policy-"));
  app = openKnowledgeApp(
    (api, bodies, exchange) =>
      new Hono<CallerEnv>()
        .route("/v1/policy", policyApi(api, bodies))
        .route("/v1", knowledgeApi(api, bodies, exchange)),
    { subject: "s-1", user: { id: "", name: demoUser }, roles: ["steward", "operator"], party: "VU" },
  );
  for (const { key, value } of demoDocuments) await app.knowledge.put(key, JSON.stringify(value));
  for (const party of ["VU", "UVA", "SURF"]) {
    await app.knowledge.put(onlineKey(party, "i1"), "{}");
    const dataSet = { name: "wageGap", party, type: "csv", tables: [{ name: "Personen", file: "p.csv" }] };
    await app.knowledge.put(`/dataSets/${party}/wageGap`, JSON.stringify(dataSet));
  }
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const),
    );
    const path = (request.url ?? "").replace("/function/orchestrator", "");
    const answer = await app.send(request.method ?? "", path, body === "" ? undefined : body, headers);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  process.exitCode = 0;
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

/** @returns what it prints, without colours */
async function policy(...args: string[]): Promise<string> {
  const program = new Command().exitOverride();
  addPolicyCommand(program);
  const { write } = process.stdout;
  let text = "";
  process.stdout.write = (part: string | Uint8Array) => {
    text += part;
    return true;
  };
  try {
    await program.parseAsync(["policy", ...args, "--gateway", gateway, "--token", "t"], { from: "user" });
  } finally {
    process.stdout.write = write;
  }
  return stripVTControlCharacters(text);
}

const file = async (name: string, content: string | object): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

const agreementOf = async (name: string) => JSON.parse((await app.knowledge.get(`/agreements/${name}`))?.value ?? "{}");

describe("dynamos policy explain", () => {
  it("prints each provider's clauses and the plan that would run", async () => {
    const text = await policy("explain", "--providers", "UVA,VU", "--algorithm", "average");
    expect(text).toMatch(/^UVA allows it by revision \d+ of its agreement$/m);
    expect(text).toMatch(/✔ requestTypes\s+allows sqlDataRequest; asked for sqlDataRequest/);
    expect(text).toMatch(/^would run computeToData for UVA, VU/m);
    expect(text).toMatch(/not dataThroughTtp: weighs more/);
    expect(text).toContain("UVA: sql-query → sql-anonymize → sql-algorithm → you");
    expect(process.exitCode).toBe(0);
  });

  it("prints what a refusal needs, and fails when nothing would run", async () => {
    const text = await policy("explain", "--providers", "RUG");
    expect(text).toContain("RUG refuses");
    expect(text).toMatch(/✘ relations\s+asked by researcher@example.org/);
    expect(text).toMatch(/to change it: RUG agrees relations\["researcher@example.org"\]/);
    expect(text).toContain("nothing would run");
    expect(process.exitCode).toBe(1);
  });

  it("prints JSON", async () => {
    const json = JSON.parse(await policy("explain", "--providers", "VU", "--json"));
    expect(json).toMatchObject({ allowed: true, verdicts: [{ provider: "VU" }] });
  });
});

describe("dynamos policy diff", () => {
  const requests = [
    { user: { name: demoUser }, providers: ["VU"], algorithm: "sum" },
    { user: { name: demoUser }, providers: ["VU"], algorithm: "average" },
    { user: { name: demoUser }, providers: ["UVA"] },
  ]
    .map((request) => JSON.stringify(request))
    .join("\n");

  it("prints which recorded requests flip, and how", async () => {
    const agreement = await agreementOf("VU");
    agreement.relations[demoUser].allowedAlgorithms = ["average"];
    agreement.relations[demoUser].maximumRows = 10;
    const args = [
      "--agreement",
      await file("vu.json", agreement),
      "--requests",
      await file("r.jsonl", `${requests}\n\n`),
    ];
    const text = await policy("diff", ...args);
    expect(text).toContain("2 of 3 requests flip under the new agreement of VU");
    expect(text).toContain("VU: is refused now: VU does not allow algorithm sum, only average");
    expect(text).toContain("VU: other terms: maximumRows none becomes 10");
    expect(process.exitCode).toBe(3);
  });

  it("says so when nothing flips", async () => {
    const args = [
      "--agreement",
      await file("vu.json", await agreementOf("VU")),
      "--requests",
      await file("r.jsonl", requests),
    ];
    expect(await policy("diff", ...args)).toContain("0 of 3 requests flip");
    expect(process.exitCode).toBe(0);
  });

  it("compares with the files of a folder too, and asks nobody", async () => {
    await file("Personen_VU.csv", "a\n1\n");
    const agreement = { ...(await agreementOf("VU")), archetypes: ["dataThroughTtp"] };
    const args = ["--agreement", await file("vu.txt", agreement), "--requests", await file("r.jsonl", requests)];
    server.closeAllConnections();
    const text = await policy("diff", ...args, "--knowledge", folder);
    expect(text).toContain("2 of 3 requests flip");
    expect(text).toContain("VU: computeToData becomes dataThroughTtp at SURF");
  });

  it("names the line that is not JSON, and the path that is not valid", async () => {
    const agreement = await file("vu.json", await agreementOf("VU"));
    const broken = policy("diff", "--agreement", agreement, "--requests", await file("r.jsonl", `${requests}\n{`));
    await expect(broken).rejects.toThrow(/line 4 is not JSON/);
    const invalid = policy(
      "diff",
      "--agreement",
      await file("x.json", { name: "VU" }),
      "--requests",
      await file("e", ""),
    );
    await expect(invalid).rejects.toThrow(/400 INVALID_REQUEST.*\/agreement property relations is missing/);
  });
});

describe("dynamos policy put and history", () => {
  it("stores a changed agreement over the one that was read, and shows what changed", async () => {
    const agreement = await agreementOf("VU");
    agreement.archetypes = ["computeToData"];
    const vu = await file("vu.json", agreement);
    const dry = await policy("put", vu, "--dry-run");
    expect(dry).toContain("VU's agreement changes in 1 place\n");
    expect(dry).toContain("- /archetypes/1");
    expect((await agreementOf("VU")).archetypes).toHaveLength(2);
    expect(await policy("put", vu)).toMatch(/VU is at revision \d+/);
    expect((await agreementOf("VU")).archetypes).toEqual(["computeToData"]);
    expect(await policy("put", vu)).toContain("nothing to store");
    const history = await policy("history", "VU");
    expect(history).toMatch(/^revision \d+ changed by s-1 \(steward\) at \d{4}-/m);
    expect(history).toContain("- /archetypes/1");
    expect(history).toMatch(/^revision \d+ created before its first change over HTTP$/m);
  });

  it("creates one, also where one was deleted", async () => {
    app.caller = { ...app.caller, party: "NEW" };
    const path = await file("new.json", { name: "NEW", relations: {} });
    expect(await policy("put", path)).toContain("NEW has no agreement yet");
    const etag = (await app.send("GET", "/v1/agreements/NEW")).headers.get("etag") ?? "";
    expect((await app.send("DELETE", "/v1/agreements/NEW", undefined, { "if-match": etag })).status).toBe(204);
    expect(await policy("put", path)).toMatch(/NEW is at revision \d+/);
    expect(await policy("history", "NEW")).toMatch(/created[\s\S]*deleted[\s\S]*created/);
  });

  it("says each path that is wrong, and keeps the old one", async () => {
    const before = await agreementOf("VU");
    const put = policy("put", await file("vu.json", { ...before, archetypes: "none" }));
    await expect(put).rejects.toThrow(/400 INVALID_REQUEST[\s\S]*\/archetypes must be array or null/);
    expect(await agreementOf("VU")).toEqual(before);
  });
});
