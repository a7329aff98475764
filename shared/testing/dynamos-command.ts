/** The `dynamos` command as a process of its own. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const home = resolve(import.meta.dirname, "../..");

/** @param stateFolder where it keeps what lasts between runs */
export function dynamosCommand(stateFolder: string, ...words: string[]): Promise<Ran> {
  const child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", ...words], {
    cwd: home,
    env: { PATH: process.env.PATH, NO_COLOR: "1", DYNAMOS_HOME: stateFolder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      written[name] += text;
    });
  }
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (status) => done({ status, ...written }));
  });
}
