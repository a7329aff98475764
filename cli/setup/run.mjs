#!/usr/bin/env node
/**
 * `npm run demo` and `npm test` on a fresh machine: installs what is missing, builds what has
 * changed, then runs. Plain Node, because it runs before anything is installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
const stamp = join(home, "node_modules/.dynamos-lock");
const nodeMin = [20, 19];
/** By path: a name would be looked up where the user stands. */
const typescript = pathToFileURL(join(home, "node_modules/tsx/dist/loader.mjs")).href;
const build = join(home, "cli/build/main.ts");
const buildFirst = pathToFileURL(build).href;
/** npm may start this through a shell that passes no signal on: when npm is told to end, only the shell's end is seen. */
const shell = process.env.npm_lifecycle_event === undefined ? undefined : process.ppid;
const shellPollMs = 250;
/** What a run of the tests needs to stop by itself; the command takes a repeated signal for the same one (cli/commands/stop-on-signal.ts). */
const interruptGraceMs = { tests: 2_000, command: 0 };
const [task = "", ...rest] = process.argv.slice(2);
// A set NODE_EXTRA_CA_CERTS costs every Node start 40 ms; only the installer may need it.
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

/** `npm run test:chaos -- [NAME] [OPTIONS]`: one of them, or all; options are those of the kills. */
const chaos = {
  kills: {
    file: "shared/testing/kills/main.ts",
    what: "workers, sidecars, connections and the broker are killed under many queries",
  },
  rabbitmq: {
    file: "shared/testing/rolling/cluster.ts",
    what: "three nodes of RabbitMQ are restarted one by one under constant queries",
  },
  etcd: {
    file: "shared/testing/rolling/etcd-members.ts",
    what: "three members of etcd are restarted one by one, then the leader is killed, under constant queries and changes",
  },
};

const tasks = {
  demo: () => dynamos(["demo", ...rest]),
  start: () => dynamos(["up", ...rest]),
  dynamos: () => dynamos(rest.length === 0 ? ["--help"] : rest),
  build: () => run(["--import", typescript, build, ...rest]),
  bench: () => run(["--import", typescript, "--import", buildFirst, "cli/bench/main.ts", ...rest], home),
  load: () =>
    run(
      ["--import", typescript, "--import", buildFirst, join(home, "load-tests/runner/main.ts"), ...rest],
      process.cwd(),
    ),
  chaos: async () => {
    installRabbitmq();
    installServer("etcd", ".ci/install-etcd.sh");
    const chosen = Object.hasOwn(chaos, rest[0] ?? "") ? [rest.shift()] : Object.keys(chaos);
    for (const name of chosen) {
      const { file, what } = chaos[name];
      say(`${name}: ${what}`);
      const options = name === "kills" ? rest : [];
      await run(["--import", typescript, "--import", buildFirst, file, ...options], home);
    }
  },
  test: async () => {
    installRabbitmq();
    installGoTools();
    installPostgres();
    installNodes();
    installServer("etcd", ".ci/install-etcd.sh");
    await run(["--import", typescript, build]);
    await run(["node_modules/vitest/vitest.mjs", "run", "--config", ".config/vitest.ts", ...rest], home);
  },
  verify: async () => {
    installRabbitmq();
    installGoTools();
    installPostgres();
    installNodes();
    installServer("etcd", ".ci/install-etcd.sh");
    await run(["--import", typescript, build]);
    await run(["--import", typescript, ".config/verify.ts", ...rest], home);
  },
};

// npx has told its shell to end and is gone as well: nobody else would tell this process.
if (process.env.npm_lifecycle_event === "npx" && isAdopted()) process.exit(143);
if (!Object.hasOwn(tasks, task)) fail(`use: node cli/setup/run.mjs ${Object.keys(tasks).join("|")}`);
checkNode();
install();
await tasks[task]();

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < nodeMin[0] || (major === nodeMin[0] && minor < nodeMin[1])) {
    const wanted = nodeMin.join(".");
    fail(`this is Node ${process.versions.node}; developing needs ${wanted} or later (a deployed function runs on 18)`);
  }
}

/** Once for each state of the lock file. */
function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(home, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing packages (npm ci)");
  // Also with NODE_ENV=production: building and testing need the development packages.
  const { status, error } = spawnSync("npm", ["ci", "--include=dev", "--loglevel=error"], {
    cwd: home,
    stdio: "inherit",
  });
  if (error) fail(`npm can't be started: ${error.message}`);
  if (status !== 0) fail("npm ci failed; nothing was started");
  writeFileSync(stamp, lock);
}

/** It says itself what it could not get. */
function installGoTools() {
  spawnSync("bash", [join(home, ".ci/install-go-tools.sh")], { cwd: home, stdio: "inherit", env: environment });
}

function installRabbitmq() {
  installServer("RabbitMQ", ".ci/install-rabbitmq.sh");
}

/** With this process's whole environment: it uses npm. */
function installNodes() {
  const { status } = spawnSync("bash", [join(home, ".ci/install-nodes.sh")], { cwd: home, stdio: "inherit" });
  if (status !== 0) say("SKIPPED: Node 18 and 22 could not be had, the bundles are not run on them");
}

function installPostgres() {
  installServer("PostgreSQL", ".ci/install-postgres.sh");
}

function installServer(name, script) {
  const { status } = spawnSync("bash", [join(home, script)], { cwd: home, stdio: "inherit", env: environment });
  if (status !== 0) say(`SKIPPED: ${name} could not be installed, the suites over it do not run`);
}

/** The command, in the folder where the user stands; what has changed is bundled first, in the same process. */
function dynamos(args) {
  const command = ["--import", typescript, "--import", buildFirst, join(home, "cli/main.ts"), ...args];
  return run(command, process.cwd(), interruptGraceMs.command);
}

/** Runs Node; ends this process with the child's status when it is not 0. */
async function run(args, cwd = home, graceMs = interruptGraceMs.tests) {
  const child = spawn(process.execPath, args, { cwd, stdio: "inherit", env: environment });
  const forget = passSignalsTo(child, graceMs);
  const [status, signal] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (...end) => resolve(end));
  });
  forget();
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

/**
 * SIGTERM comes to this process alone and is passed on. Ctrl-C comes to the whole group, so the child has it
 * already, and for a test run a second one would cut its ending short: it is passed on only when the child stays.
 */
function passSignalsTo(child, interruptGraceMs) {
  const terminate = () => child.kill("SIGTERM");
  const interrupt = () => setTimeout(() => child.kill("SIGINT"), interruptGraceMs).unref();
  const orphaned = setInterval(() => {
    if (shell === undefined || process.ppid === shell) return;
    clearInterval(orphaned);
    terminate();
  }, shellPollMs);
  process.on("SIGTERM", terminate).on("SIGHUP", terminate).on("SIGINT", interrupt);
  return () => {
    clearInterval(orphaned);
    process.off("SIGTERM", terminate).off("SIGHUP", terminate).off("SIGINT", interrupt);
  };
}

/**
 * Whether what started this process was gone before it could look: its parent is then one of another process group,
 * as npm's shell never is. Who leads a group was started to stand alone. Where there is no /proc, nobody knows.
 */
function isAdopted() {
  const [own, parents] = [process.pid, shell].map(groupOf);
  return own !== undefined && parents !== undefined && parents !== own && own !== process.pid;
}

function groupOf(pid) {
  try {
    // `pid (name) state parent group`: the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[3]);
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(2);
}
