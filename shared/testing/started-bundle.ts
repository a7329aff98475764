/** A function's bundle as a process of its own, the way the image and the local gateway start it. */
import { type ChildProcess, spawn } from "node:child_process";

export interface StartedBundle {
  readonly url: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** What it wrote to standard error. */
  log(): string;
  /** At once, and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * @param folder that holds `index.js`; nothing of a checkout needs to be near
 * @param node binary that runs it
 * @throws Error with what it wrote, when it ends before it is ready
 */
export async function startBundle(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  node = process.execPath,
): Promise<StartedBundle> {
  const child = spawn(node, ["index.js"], {
    cwd: folder,
    env: { PATH: process.env.PATH, TMPDIR: folder, http_port: "0", ...environment },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let written = "";
  child.stderr?.on("data", (chunk) => {
    written += chunk;
  });
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  const port = await new Promise<number>((done, failed) => {
    let listening = 0;
    child.on("message", ({ event, port: heard }: { event: string; port: number }) => {
      if (event === "listening") listening = heard;
      if (event === "ready") done(listening);
    });
    child.once("error", failed);
    void exited.then((code) => failed(new Error(`the function ended with ${code}: ${written}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    child,
    exited,
    log: () => written,
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
