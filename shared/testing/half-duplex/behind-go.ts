/** The functions' bundles, each to be started behind two proxies of Go: what a gateway calls is the outer one. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param bundles a folder for each function, as the build makes them; they stay where they are
 * @param folder where the same folders are made
 * @param program of go-proxy.ts
 */
export async function putBehindGo(bundles: string, folder: string, program: string): Promise<void> {
  for (const name of await readdir(bundles)) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "index.js"), starterOf(join(bundles, name), program));
  }
}

/** Says what the function says, but for its port. Ends with it, and all of it is in one process group. */
function starterOf(bundle: string, program: string): string {
  return `
const { spawn } = require("node:child_process");
const { createInterface } = require("node:readline");
const stdio = ["ignore", "inherit", "inherit", "ipc"];
const fn = spawn(process.execPath, [${JSON.stringify(join(bundle, "index.js"))}], { cwd: ${JSON.stringify(bundle)}, stdio });
const proxies = [];
const inFront = (kind, port) =>
  new Promise((listening) => {
    const proxy = spawn(${JSON.stringify(program)}, [kind, "http://127.0.0.1:" + port], { stdio: ["ignore", "pipe", "inherit"] });
    proxies.push(proxy);
    createInterface(proxy.stdout).once("line", listening);
  });
let said = Promise.resolve();
fn.on("message", (message) => {
  said = said.then(async () => {
    if (message.event !== "listening") return process.send(message);
    const watchdog = await inFront("copy", message.port);
    process.send({ ...message, port: Number(await inFront("reverse", watchdog)) });
  });
});
fn.once("exit", (code) => {
  for (const proxy of proxies) proxy.kill("SIGKILL");
  process.exit(code ?? 1);
});
process.on("SIGTERM", () => fn.kill("SIGTERM"));
process.on("disconnect", () => fn.disconnect());
`;
}
