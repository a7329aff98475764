#!/usr/bin/env node
/** The `dynamos` command of a checkout. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const run = join(dirname(fileURLToPath(import.meta.url)), "../setup/run.mjs");
process.on("SIGINT", () => {});
const { status } = spawnSync(process.execPath, [run, "dynamos", ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
