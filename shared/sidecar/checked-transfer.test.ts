import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { checkedTransfer } from "./checked-transfer.ts";

const sent = ["a", "b", "c"].map((text) => Buffer.from(text));
const transfer = {
  name: "transfer.uva.surf.1",
  chunks: sent.length,
  bytes: sent.length,
  sha256: createHash("sha256").update("abc").digest(),
};

/** What goes on before it ends, and how it ends. */
async function readOf(chunks: readonly Buffer[]) {
  const passed: string[] = [];
  const source = async function* () {
    yield* chunks;
  };
  const shortOf = (read: number) => new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `only ${read}`);
  try {
    for await (const chunk of checkedTransfer(transfer, source(), shortOf)) passed.push(String(chunk));
    return { passed, end: "whole" };
  } catch (error) {
    return { passed, end: (error as DynamosError).message };
  }
}

describe("a transfer that is read", () => {
  it("gives every chunk in order, and no more than were announced", async () => {
    expect(await readOf(sent)).toEqual({ passed: ["a", "b", "c"], end: "whole" });
    expect(await readOf([...sent, Buffer.from("d")])).toEqual({ passed: ["a", "b", "c"], end: "whole" });
  });

  it("keeps its last chunk back when one of them is not as it was sent", async () => {
    const end = "a table did not arrive as it was sent";
    expect(await readOf([...sent.slice(0, 2), Buffer.from("x")])).toEqual({ passed: ["a", "b"], end });
    expect(await readOf([Buffer.from("x"), ...sent.slice(1)])).toEqual({ passed: ["x", "b"], end });
  });

  it("says how many came when some are missing", async () => {
    expect(await readOf(sent.slice(0, 2))).toEqual({ passed: ["a", "b"], end: "only 2" });
    expect(await readOf([])).toEqual({ passed: [], end: "only 0" });
  });
});
