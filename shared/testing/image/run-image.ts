/**
 * For .ci/try-image.sh: runs an image's file system with runc as a cluster would, read-only, without capabilities, as
 * the image's own user; asks it one real call, and measures. `run-image.ts NAME ROOT INSPECTED.json FOLDER`
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readStack } from "../../../cli/stack/read-stack.ts";
import { freePort } from "../free-port.ts";
import { type SampleCall, sampleGreeting, sampleSteps } from "../sample-calls.ts";

interface Inspected {
  readonly OCIv1: {
    readonly config: { readonly Env: string[]; readonly Labels?: Record<string, string>; readonly User: string };
  };
}

const container = "dynamos-try";
const rounds = 5;
const readyMsMax = 60_000;
const pollMs = 5;
const secrets = "/var/openfaas/secrets";
const [name = "", root = "", inspected = "", folder = ""] = process.argv.slice(2);
const { config } = (JSON.parse(readFileSync(inspected, "utf8")) as Inspected).OCIv1;

/** With what stack.yml sets, and what a cluster would mount. */
async function functionOf(): Promise<{ sample: SampleCall; environment: Record<string, string>; mounts: object[] }> {
  if (name === "greeter") return { sample: sampleGreeting, environment: {}, mounts: [] };
  const { functions } = await readStack(resolve(import.meta.dirname, "../../../stack.yml"), { environment: {} });
  const found = functions.find((each) => each.name === name);
  const sample = sampleSteps()[found?.handler.split("/").at(-1) ?? ""];
  if (found === undefined || sample === undefined) throw new Error(`${name} is no step of stack.yml`);
  const { data_dir: data, approval_keys_file: keys } = sample.environment;
  const bind = (source: string | undefined, destination: string) =>
    source === undefined ? [] : [{ source, destination, type: "bind", options: ["rbind", "ro"] }];
  const mounts = [...bind(data, found.environment.data_dir ?? "/data"), ...bind(keys, `${secrets}/approval-keys`)];
  return { sample, environment: found.environment, mounts };
}

function writeSpec(environment: Record<string, string>, mounts: readonly object[]): void {
  spawnSync("runc", ["spec"], { cwd: folder });
  const file = join(folder, "config.json");
  const spec = JSON.parse(readFileSync(file, "utf8"));
  spec.root = { path: root, readonly: true };
  const id = Number(config.User);
  Object.assign(spec.process, { terminal: false, args: ["fwatchdog"], cwd: "/home/node/function", capabilities: {} });
  spec.process.user = { uid: id, gid: id };
  const all = { ...Object.fromEntries(config.Env.map((line) => line.split(/=(.*)/s))), ...environment };
  spec.process.env = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) =>
    ["mount", "pid", "ipc", "uts"].includes(type),
  );
  delete spec.linux.resources;
  const writable = { type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] };
  spec.mounts = spec.mounts.filter(({ destination }: { destination: string }) => !destination.startsWith("/sys"));
  spec.mounts.push({ destination: "/tmp", ...writable }, ...mounts);
  writeFileSync(file, JSON.stringify(spec));
}

/** @returns milliseconds from the start of `runc run` */
async function round(url: string, sample: SampleCall, look: () => void): Promise<{ ready: number; first: number }> {
  const startedAt = performance.now();
  const running = spawn("runc", ["run", container], { cwd: folder, stdio: "inherit" });
  const exited = once(running, "exit");
  try {
    while (!(await isReady(url))) {
      if (running.exitCode !== null) throw new Error(`the image ended with ${running.exitCode}`);
      if (performance.now() - startedAt > readyMsMax) throw new Error("the image is not ready in time");
      await wait(pollMs);
    }
    const ready = performance.now() - startedAt;
    await sample.call(url);
    const first = performance.now() - startedAt;
    look();
    spawnSync("runc", ["kill", container, "TERM"]);
    const [code] = await exited;
    if (code !== 0) throw new Error(`the image ended with ${code} on SIGTERM`);
    return { ready, first };
  } finally {
    spawnSync("runc", ["delete", "--force", container]);
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/_/ready`).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

/** From inside, while it runs. */
function checkInside(): void {
  const inside = (...words: string[]) => spawnSync("runc", ["exec", container, ...words], { encoding: "utf8" });
  if (inside("id", "-u").stdout.trim() !== "1000") throw new Error("the image does not run as user 1000");
  if (inside("touch", "/home/node/function/x").status === 0) throw new Error("the image's root can be written");
}

function checkCarried(): void {
  for (const label of ["title", "version", "revision", "source", "licenses"]) {
    if (!config.Labels?.[`org.opencontainers.image.${label}`]) throw new Error(`the image has no label ${label}`);
  }
  const title = config.Labels?.["org.opencontainers.image.title"];
  const sbom = JSON.parse(readFileSync(join(root, "home/node/function/sbom.cdx.json"), "utf8"));
  if (sbom.metadata.component.name !== title) throw new Error(`the SBOM is of ${sbom.metadata.component.name}`);
  if (!existsSync(join(root, "home/node/function/licences.txt"))) throw new Error("the image has no licences.txt");
}

const milliseconds = (each: readonly number[]) => {
  const [shortest = 0, ...more] = each.map(Math.round).sort((a, b) => a - b);
  return `${more[Math.floor(each.length / 2) - 1] ?? shortest} (${shortest}–${more.at(-1) ?? shortest})`;
};

const { sample, environment, mounts } = await functionOf();
const port = await freePort();
writeSpec({ ...environment, healthcheck_interval: "1s", port: String(port) }, mounts);
checkCarried();
const measured: { ready: number; first: number }[] = [];
for (let i = 0; i < rounds; i++) measured.push(await round(`http://127.0.0.1:${port}`, sample, checkInside));
process.stdout.write(
  `${name}: built, answered from a read-only root as user 1000, and ended with 0 on SIGTERM\n` +
    `${name}: ready ${milliseconds(measured.map(({ ready }) => ready))} ms after runc's start, ` +
    `first answer ${milliseconds(measured.map(({ first }) => first))} ms, median of ${rounds} (shortest–longest)\n`,
);
