import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { limits } from "#domain/limits";
import { jsonLog } from "./json-log.ts";
import { nameEnd } from "./worker-end.ts";
import { WorkerOutput } from "./worker-output.ts";

async function linesOf(chunks: readonly string[], name: "stdout" | "stderr" = "stdout") {
  const lines: { message: string; level: string; stream?: string }[] = [];
  const output = new WorkerOutput(jsonLog({}, (line) => lines.push(JSON.parse(line))));
  const stream = new PassThrough();
  output.follow(stream, name);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await new Promise((ended) => stream.once("end", ended));
  return { lines, output };
}

it("becomes log lines, whatever its chunks", async () => {
  const { lines } = await linesOf(["one\ntw", "o\n\nthree"], "stderr");
  expect(lines.map(({ message, stream }) => [message, stream])).toEqual([
    ["one", "stderr"],
    ["two", "stderr"],
    ["three", "stderr"],
  ]);
});

it("is cut at its allowance, which is said once", async () => {
  const { lines } = await linesOf(Array.from({ length: 400 }, () => `${"x".repeat(99)}\n`));
  const written = lines.filter(({ level }) => level === "info");
  const bytes = written.reduce((sum, { message }) => sum + message.length + 1, 0);
  expect(bytes).toBeGreaterThan(limits.workerLogBytesMax - 200);
  expect(bytes).toBeLessThanOrEqual(limits.workerLogBytesMax + 1);
  expect(lines.filter(({ level }) => level === "warn").length).toBe(1);
});

it("keeps the last words of standard error also when nothing more is logged", async () => {
  const { output } = await linesOf(["x".repeat(2 * limits.workerLogBytesMax), "\nheap out of memory\n"], "stderr");
  const error = nameEnd({ exitCode: null, signal: "SIGABRT", lastWords: output.lastWords });
  expect(error.label).toBe("WORKER_OUT_OF_MEMORY");
});

it.each([
  [{ exitCode: 3, signal: null }, "the worker ended with exit code 3"],
  [{ exitCode: null, signal: "SIGSEGV" }, "the worker ended by signal SIGSEGV"],
])("names the end %j", (end, message) => {
  expect(nameEnd({ ...end, lastWords: "" })).toMatchObject({ label: "WORKER_CRASHED", message });
});
