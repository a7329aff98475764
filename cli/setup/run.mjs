#!/usr/bin/env node
/**
 * `npm run demo` and `npm test` on a fresh machine: installs what is missing, builds what has
 * changed, then runs. Plain Node, because it runs before anything is installed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
const stamp = join(home, "node_modules/.dynamos-lock");
const nodeMin = [20, 19];
const [task = "", ...rest] = process.argv.slice(2);
// A set NODE_EXTRA_CA_CERTS costs every Node start 40 ms; only the installer may need it.
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

const tasks = {
  demo: () => command("demo", rest),
  start: () => command("up", rest),
  dynamos: () => {
    const [name = "--help", ...more] = rest;
    command(name, more);
  },
  build: () => {},
  bench: () => run("node", ["--import", "tsx", "cli/bench/main.ts", ...rest]),
  test: () => {
    installRabbitmq();
    run("npx", ["vitest", "run", "--config", ".config/vitest.ts", ...rest]);
  },
  verify: () => {
    installRabbitmq();
    run("node", ["--import", "tsx", ".config/verify.ts", ...rest]);
  },
};

if (!(task in tasks)) fail(`use: node cli/setup/run.mjs ${Object.keys(tasks).join("|")}`);
checkNode();
install();
run("node", ["--import", "tsx", "cli/build/main.ts"]);
tasks[task]();

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < nodeMin[0] || (major === nodeMin[0] && minor < nodeMin[1])) {
    fail(
      `this is Node ${process.versions.node}; developing needs ${nodeMin.join(".")} or later (a deployed function runs on 18)`,
    );
  }
}

function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(home, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing packages (npm ci)");
  run("npm", ["ci", "--include=dev", "--loglevel=error"], process.env);
  writeFileSync(stamp, lock);
}

function installRabbitmq() {
  const result = spawnSync("bash", [join(home, ".ci/install-rabbitmq.sh")], {
    cwd: home,
    stdio: "inherit",
    env: environment,
  });
  if (result.status !== 0) say("SKIPPED: RabbitMQ could not be installed, the suites over it do not run");
}

function command(name, more) {
  run("node", ["--import", "tsx", "cli/main.ts", name, ...more]);
}

/** Ends this process with the child's status when it is not 0. */
function run(program, args, env = environment) {
  // Ctrl-C goes to the whole group: the child stops by itself, and this process must outlive it.
  process.on("SIGINT", () => {});
  const { status, signal, error } = spawnSync(program, args, { cwd: home, stdio: "inherit", env });
  if (error) fail(`${program} can't be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(2);
}
