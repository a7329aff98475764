import { expect, it } from "vitest";
import { Envelope } from "#contracts";
import { madeUpEnvelope } from "./made-up-envelope.ts";

const transfer = { name: "t", chunks: 1, bytes: 1, sha256: Buffer.alloc(1) };
const table = { arrowIpc: Buffer.alloc(1), rows: 1, transfer };

it("leaves no field of the contract out, so that decoding each of them is rehearsed", () => {
  const decoded = Envelope.decode(Envelope.encode(madeUpEnvelope("step", table)).finish());
  expect(decoded.step).toBe("step");
  expect(emptyIn(decoded, "envelope")).toEqual([]);
  const cases = new Set(JSON.stringify(decoded).match(/"\$case":"\w+"/g));
  expect([...cases].sort()).toEqual(
    ["decision", "plan", "refusal", "result", "terms"].map((one) => `"$case":"${one}"`),
  );
});

/** Paths of what an encoder would leave out. */
function emptyIn(value: unknown, path: string): string[] {
  if (Buffer.isBuffer(value)) return value.length === 0 ? [path] : [];
  if (typeof value !== "object" || value === null) return value ? [] : [path];
  const members = Object.entries(value);
  return members.length === 0 ? [path] : members.flatMap(([key, member]) => emptyIn(member, `${path}.${key}`));
}
