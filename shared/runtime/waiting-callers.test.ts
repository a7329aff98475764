import { expect, it } from "vitest";
import { labelOf } from "#errors";
import { WaitingCallers } from "./waiting-callers.ts";

const later = () => ({ deadlineMs: Date.now() + 10_000, signal: new AbortController().signal });
const code = (wait: Promise<unknown>) => wait.catch((error) => labelOf(error.code));

it("serves first who came first", async () => {
  const line = new WaitingCallers<string>(2);
  const waits = [line.wait(later()), line.wait(later())];
  line.serve("one");
  line.serve("two");
  expect(await Promise.all(waits)).toEqual(["one", "two"]);
  expect(line.size).toBe(0);
});

it("is full at its limit", async () => {
  const line = new WaitingCallers<string>(1);
  const first = line.wait(later());
  expect(await code(line.wait(later()))).toBe("OVERLOADED");
  line.serve("one");
  expect(await first).toBe("one");
});

it("lets go who has no time left, and who has gone", async () => {
  const line = new WaitingCallers<string>(4);
  const gone = new AbortController();
  const waits = [
    code(line.wait({ ...later(), deadlineMs: Date.now() + 10 })),
    code(line.wait({ ...later(), signal: gone.signal })),
    code(line.wait({ ...later(), signal: AbortSignal.abort() })),
  ];
  gone.abort();
  expect(line.size).toBe(1);
  expect(await Promise.all(waits)).toEqual(["DEADLINE_EXCEEDED", "CANCELLED", "CANCELLED"]);
  expect(line.size).toBe(0);
});

it("gives nothing to who has just gone", async () => {
  const line = new WaitingCallers<string>(4);
  const gone = new AbortController();
  const [left, stays] = [code(line.wait({ ...later(), signal: gone.signal })), line.wait(later())];
  gone.abort();
  line.serve("one");
  expect([await left, await stays]).toEqual(["CANCELLED", "one"]);
});
