import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterEach, expect, it } from "vitest";
import { descendantsOf, statusFields } from "./descendants.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** One that nobody has waited for yet is dead all the same. */
const isAlive = (pid: number) => !["Z", undefined].includes(statusFields(pid)[0]);

it("kills children and grandchildren, also those in groups of their own", async () => {
  const file = resolve(import.meta.dirname, "descendants.ts");
  const source = `
    const { spawn } = await import("node:child_process");
    const { killDescendants } = await import(${JSON.stringify(file)});
    spawn("sh", ["-c", "sleep 60 & wait"], { detached: true, stdio: "ignore" });
    process.stdin.once("data", () => { killDescendants(); process.exit(0); });`;
  const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  stops.push(() => parent.kill("SIGKILL"));
  const names = () => descendantsOf(parent.pid ?? 0);
  await expect.poll(() => names().length, { timeout: 10_000 }).toBeGreaterThan(1);
  const born = names();
  const exited = new Promise((done) => parent.once("exit", done));
  parent.stdin.write("now\n");
  await exited;
  await expect.poll(() => born.filter(isAlive)).toEqual([]);
});
