import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { cpuMs, pssMib, treeCpuMs, treeOf } from "./processes.ts";

const workMs = 100;
/** Works until it has used so much, whatever else the machine does. */
const works = `while (process.cpuUsage().user < ${workMs} * 1000) Math.sqrt(2);`;
/** Starts one that works, waits for its end, says so and stays. */
const starts = `require("node:child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(works)}]);
process.stdout.write("ended"); setInterval(() => {}, 1000);`;
/** Of the clock that the kernel counts with, and of what a process does before it counts itself. */
const ticksMs = 20;

let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

test("counts what a child has used that has ended", async () => {
  const before = cpuMs([]);
  child = spawn(process.execPath, ["-e", works], { stdio: "ignore" });
  await once(child, "exit");
  expect(cpuMs([]) - before).toBeGreaterThanOrEqual(workMs - ticksMs);
});

test("counts what a child's child has used, dead or alive", async () => {
  child = spawn(process.execPath, ["-e", starts], { stdio: ["ignore", "pipe", "ignore"] });
  if (child.stdout === null || child.pid === undefined) throw new Error("no child");
  await once(child.stdout, "data");
  expect(treeCpuMs([child.pid])).toBeGreaterThanOrEqual(workMs - ticksMs);
  expect(treeOf([process.pid])).toContain(child.pid);
  expect(pssMib([child.pid])).toBeGreaterThan(1);
});

test("takes a process that has ended as holding nothing", async () => {
  child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore" });
  await once(child, "exit");
  expect(pssMib([child.pid ?? 0])).toBe(0);
  expect(treeCpuMs([child.pid ?? 0])).toBe(0);
});
