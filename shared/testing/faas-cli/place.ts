/** faas-cli for tests: the real one where it is, and a stand-in that speaks as it does. */
import { spawn } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { findTool } from "../find-tool.ts";

/** Of FAAS_CLI, the PATH or build/tools; undefined where there is none. */
export function realFaasCli(): string | undefined {
  return process.env.FAAS_CLI || findTool("faas-cli");
}

/** Puts a command `faas-cli` into a folder, for a PATH. @param real of `realFaasCli`; absent: the stand-in */
export function placeFaasCli(folder: string, real?: string): void {
  const file = join(folder, "faas-cli");
  if (real !== undefined) {
    symlinkSync(real, file);
    return;
  }
  // Bundled: a start takes a tenth of the time.
  buildSync({
    entryPoints: [join(import.meta.dirname, "main.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    outfile: join(folder, "stand-in.mjs"),
    logLevel: "warning",
  });
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${join(folder, "stand-in.mjs")}" "$@"\n`);
  chmodSync(file, 0o755);
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly msMax?: number;
}

/** A command to its end, or to a limit of time. */
export function runCommand(file: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { cwd, env, input = "", msMax = 60_000 } = options;
  const child = spawn(file, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), msMax);
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      written[name] += text;
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (status) => {
      clearTimeout(timer);
      done({ status, ...written });
    });
  });
}
