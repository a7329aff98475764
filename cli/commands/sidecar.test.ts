import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { approvalEnvironment } from "#testing/approval-keys";

const home = resolve(import.meta.dirname, "../..");

function sidecar(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", "sidecar", ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      written[name] += text;
    });
  }
  return new Promise((done) => child.once("close", (status) => done({ status, ...written })));
}

const keys = ["--approval-keys", approvalEnvironment.approval_keys_file];
const options = ["--party", "UVA", "--broker", "amqp://a:b@127.0.0.1:1", "--gateway", "http://127.0.0.1:1", ...keys];

it("dynamos sidecar explains itself", async () => {
  const { status, stdout } = await sidecar("--help");
  expect(status).toBe(0);
  for (const option of [
    "--party",
    "--broker",
    "--knowledge",
    "--gateway",
    "--functions",
    "--listen",
    "--instance",
    "--approval-keys",
    "--metrics-port",
  ]) {
    expect(stdout).toContain(option);
  }
});

it.each([
  ["its party is not named", options.slice(2), "required option '--party <name>' not specified"],
  [
    "the knowledge base is no address",
    [...options, "--knowledge", "ftp://x"],
    "must be http(s)://HOST:PORT, grpc://HOST:PORT, unix:///PATH or memory",
  ],
  [
    "a number is none",
    [...options, "--knowledge", "grpc://a:1", "--drain", "soon"],
    "--drain soon: must be a whole number",
  ],
  [
    "its keys are not there",
    [...options, "--knowledge", "grpc://a:1", "--approval-keys", "/nowhere/keys"],
    "the public keys of approvals, /nowhere/keys, can't be read (ENOENT)",
  ],
  [
    "nobody says where its functions are",
    [...options.filter((_, index) => index < 4 || index > 5), "--knowledge", "memory"],
    "--gateway or --functions must say where the party's functions are",
  ],
  [
    "two say where its functions are",
    [...options, "--knowledge", "memory", "--functions", "functions.json"],
    "--functions: takes the place of --gateway",
  ],
  ["the broker does not answer", [...options, "--knowledge", "grpc://127.0.0.1:1"], "can't be reached"],
])("dynamos sidecar ends with a sentence when %s", async (_, args, sentence) => {
  const { status, stdout, stderr } = await sidecar(...args);
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain(sentence);
});
