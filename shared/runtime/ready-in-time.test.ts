/** A worker that was killed while it started is not ready, however soon it said so. */
import { expect, it } from "vitest";
import type { FramedWorker } from "./framed-worker.ts";
import { readyInTime } from "./ready-in-time.ts";

function worker(ready: Promise<void>) {
  const kills: string[] = [];
  const made = { ready, gone: Promise.resolve(), kill: () => void kills.push("killed") };
  return { made: made as unknown as FramedWorker, kills };
}

it("gives the worker that is ready", async () => {
  const { made, kills } = worker(Promise.resolve());
  expect(await readyInTime(made, 1_000, new AbortController().signal)).toBe(made);
  expect(kills).toEqual([]);
});

it.each<[string, (stop: AbortController) => void]>([
  ["before", (stop) => stop.abort()],
  ["after", (stop) => queueMicrotask(() => stop.abort())],
])("gives no worker that was ready at once, where nobody waits any more from a moment %s", async (_, abort) => {
  const { made, kills } = worker(Promise.resolve());
  const stop = new AbortController();
  abort(stop);
  await expect(readyInTime(made, 1_000, stop.signal)).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
  expect(kills).toContain("killed");
});
