import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const home = resolve(import.meta.dirname, "../..");
let temporary: string;
let npm: ChildProcess | undefined;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "signals-"));
});
afterEach(async () => {
  for (const pid of await processes()) process.kill(pid, "SIGKILL");
  await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
});

async function processes(): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`TMPDIR=${temporary}`)) found.push(Number(pid));
  }
  return found;
}

it.each(["SIGINT", "SIGTERM"] as const)(
  "%s to npm alone ends the system",
  async (signal) => {
    // In a group of its own and with SIGINT ignored at the start, as a shell starts what runs in its background.
    const script = "trap '' INT; exec npm start --silent -- --port 0";
    const started = spawn("sh", ["-c", script], {
      cwd: home,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        TMPDIR: temporary,
        NO_UPDATE_NOTIFIER: "1",
        DYNAMOS_HOME: join(temporary, "state"),
      },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    npm = started;
    const exited = new Promise((done) => started.once("exit", done));
    await new Promise<void>((done, failed) => {
      let written = "";
      started.stdout.on("data", (chunk) => {
        written += chunk;
        if (written.includes("ready at")) done();
      });
      void exited.then(() => failed(new Error(`npm ended: ${written}`)));
    });
    expect((await processes()).length).toBeGreaterThan(14);
    npm.kill(signal);
    await exited;
    await expect.poll(processes, { timeout: 10_000 }).toEqual([]);
  },
  60_000,
);

const versionText = "exec node cli/bin/dynamos.mjs --version";

/** What the command writes when `script` starts it. */
async function written(script: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const started = spawn("sh", ["-c", script], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: temporary, ...environment },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  let text = "";
  started.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  // When everybody who could write has ended.
  await once(started, "close");
  return text;
}

/** The command starts when nothing is left of its shell. */
const afterItsShell = `(while kill -0 $$ 2> /dev/null; do sleep 0.01; done; ${versionText}) &`;
const npx = { npm_lifecycle_event: "npx" };

it("does nothing under npx when a signal has ended the shell between them before it had started", async () => {
  expect(await written(afterItsShell, npx)).toBe("");
}, 30_000);

it.each([
  ["under npx", `(${versionText}); true`, npx],
  ["under npx in place of its shell", versionText, npx],
  ["in the background of a shell that has ended", afterItsShell, {}],
] as const)(
  "starts %s",
  async (_, script, environment) => {
    expect(await written(script, environment)).toMatch(/^\d+\.\d+\.\d+\n$/);
  },
  30_000,
);
