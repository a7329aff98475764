/** Every script of load-tests/: it passes over the real system, at a low rate, and fails over one that is wrong. */
import { execFile } from "node:child_process";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atHome, questions } from "../questions.ts";
import { drive } from "./drive.ts";
import { type LoadResult, runScript } from "./run-script.ts";
import { openTarget, type Target } from "./target.ts";

const slow = { P95_MS: "120000" };
const scripts: Readonly<Record<string, Record<string, string>>> = {
  smoke: {},
  steady: { ...slow, RATE: "1", DURATION: "3s" },
  ramp: { ...slow, PEAK: "3", RAMP: "2s", HOLD: "1s" },
  spike: { ...slow, RATE: "1", TIMES: "10", CALM: "2s", SPIKE: "1s", AFTER: "20s" },
  soak: { ...slow, RATE: "2", DURATION: "4s" },
  "mixed-archetypes": { ...slow, RATE: "0.5", DURATION: "3s" },
  "policy-change": { RATE: "1", DURATION: "3s", CHANGES: "2", PAUSE: "0.1", CHANGE_MS: "60000" },
};
const timeoutMs = 180_000;
const execute = promisify(execFile);

function run(name: string, environment: Record<string, string>): Promise<LoadResult & { logged: string[] }> {
  const logged: string[] = [];
  const log = (_: string, text: string) => void logged.push(text);
  const script = join(import.meta.dirname, "..", `${name}.ts`);
  return runScript({ script, environment, log }).then((result) => ({ ...result, logged }));
}

describe("over the real system", () => {
  let target: Target;
  beforeAll(async () => {
    target = await openTarget({}, "memory", () => {});
  }, timeoutMs);
  afterAll(() => target.stop());

  it.each(Object.keys(scripts))(
    "%s passes, and each of its metrics and thresholds has samples",
    async (name) => {
      const result = await run(name, { ...target.environment, ...scripts[name] });
      expect({ errors: result.errors, logged: result.logged }).toEqual({ errors: [], logged: [] });
      expect(result.thresholds.filter(({ holds }) => !holds)).toEqual([]);
      expect(result.thresholds.filter(({ value }) => value === undefined)).toEqual([]);
      expect(result.metrics.get("query_right")?.samples.length).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  it(
    "the command runs one, and says so",
    async () => {
      const environment = Object.entries(target.environment).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
      const command = join(import.meta.dirname, "../../cli/setup/run.mjs");
      const { stdout } = await execute(process.execPath, [command, "load", "smoke", ...environment]);
      expect(stdout).toContain("all thresholds hold");
    },
    timeoutMs,
  );

  it(
    "autocannon's answers are judged alike",
    async () => {
      const asked = questions.slice(0, 2);
      const driven = await drive({ ...target.environment, connections: 2, until: { seconds: 2 }, asked });
      expect(driven).toMatchObject({ wrong: 0, unanswered: 0, firstWrong: undefined });
      expect(driven.right).toBeGreaterThan(0);
    },
    timeoutMs,
  );
});

/** Right at first, when scripts ask for what they compare with; then as it is told. */
describe("over a system that is wrong", () => {
  let server: Server;
  let url: string;
  let lie: (response: ServerResponse, right: object) => void;
  let toBeRight = 0;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const path = request.url ?? "";
      if (path.includes("/agreements/")) {
        response.setHeader("etag", '"1"');
        return void response.end(JSON.stringify({ name: "UVA", relations: {}, archetypes: [] }));
      }
      if (!path.endsWith("/queries")) return void response.end('[{"name":"UVA","online":true}]');
      const body = JSON.parse(Buffer.concat(chunks).toString() || "{}");
      const question = questions.find((one) => JSON.stringify(one.body) === JSON.stringify(body)) ?? atHome;
      const right = {
        complete: true,
        archetypes: [{ archetype: question.archetype }],
        results: question.answeredBy.map((party) => ({ party, rows: [[1]] })),
        refused: [],
      };
      response.setHeader("x-query-complete", "true");
      if (toBeRight-- > 0) response.end(JSON.stringify(right));
      else lie(response, right);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const asksBefore: Readonly<Record<string, number>> = { smoke: 4, soak: 4, "mixed-archetypes": 3 };
  const lies: readonly (readonly [what: string, lie: typeof lie])[] = [
    ["an empty 200", (response) => response.end()],
    ["another number", (response, right) => response.end(JSON.stringify(right).replace("[1]", "[2]"))],
    ["a part of the answer", (response, right) => response.end(JSON.stringify({ ...right, complete: false }))],
    ["a 500", (response) => response.writeHead(500).end()],
    ["503 without Retry-After", (response) => response.writeHead(503).end()],
    ["an answer that broke off", (response, right) => response.end(JSON.stringify(right).slice(0, -1))],
    [
      "somebody else's 200",
      (response, right) => {
        response.removeHeader("x-query-complete");
        response.end(JSON.stringify(right));
      },
    ],
    ["a cut connection", (response) => response.socket?.destroy()],
  ];

  /** Short: what is asked before the load is right, what is asked in it is not. */
  async function seesLie(name: string): Promise<void> {
    toBeRight = asksBefore[name] ?? 1;
    const short = { ...scripts[name], DURATION: "1s", RAMP: "1s", CALM: "1s", SPIKE: "1s", AFTER: "2s" };
    const { passed, thresholds } = await run(name, { ...short, GATEWAY: url, TOKEN: "t" });
    expect({ name, passed }).toEqual({ name, passed: false });
    expect(thresholds.find(({ metric }) => metric === "query_wrong")).toMatchObject({ holds: false });
  }

  it.each(lies)(
    "%s is seen",
    async (_, told) => {
      lie = told;
      await seesLie("steady");
    },
    timeoutMs,
  );

  it.each(["ramp", "spike", "soak", "mixed-archetypes"])(
    "%s sees a wrong number",
    async (name) => {
      lie = (response, right) => response.end(JSON.stringify(right).replace("[1]", "[2]"));
      await seesLie(name);
    },
    timeoutMs,
  );

  it(
    "smoke sees that an answer changes",
    async () => {
      toBeRight = 4;
      lie = (response, right) => response.end(JSON.stringify(right).replace("[1]", "[2]"));
      expect(await run("smoke", { GATEWAY: url, TOKEN: "t" })).toMatchObject({ passed: false });
    },
    timeoutMs,
  );

  it(
    "policy-change sees a change that does not hold",
    async () => {
      toBeRight = 1_000;
      const settings = { ...scripts["policy-change"], GATEWAY: url, TOKEN: "t", STEWARD_TOKEN: "s" };
      const { passed, thresholds } = await run("policy-change", settings);
      expect(passed).toBe(false);
      expect(thresholds.find(({ metric }) => metric === "change_held")).toMatchObject({ holds: false, value: 0 });
    },
    timeoutMs,
  );

  it("no script starts where the answer before the load is wrong", async () => {
    toBeRight = 0;
    lie = (response) => response.end();
    await expect(run("steady", { GATEWAY: url, TOKEN: "t" })).rejects.toThrow("before the load, averages at home");
    await expect(run("steady", { GATEWAY: url })).rejects.toThrow("-e TOKEN=… is missing");
    await expect(run("steady", { RATE: "many" })).rejects.toThrow("-e RATE=many: must be a number above 0");
  });
});
