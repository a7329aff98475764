import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { partyOf } from "./parties.ts";
import { flagsOf, partsOf } from "./parts.ts";
import { readStack, type Stack, type StackFunction } from "./read-stack.ts";

const file = resolve(import.meta.dirname, "../../stack.yml");
let stack: Stack;

beforeAll(async () => {
  stack = await readStack(file, { environment: {} });
});

describe("one organisation's part of stack.yml", () => {
  it.each(["UVA", "VU", "SURF", "exchange"])("of %s is chosen by its flags, whole, and nothing else", async (party) => {
    const part = partsOf(stack).find((one) => one.party === party);
    const { functions } = await readStack(file, { environment: {}, ...part?.selection });
    expect(functions.map(({ name }) => name)).toEqual(part?.functions);
    expect(functions.filter((fn) => partyOf(fn) === party)).toEqual(functions);
    expect(functions.length).toBe(stack.functions.filter((fn) => partyOf(fn) === party).length);
  });

  it("and the parts together are the stack, each function once", () => {
    const all = partsOf(stack).flatMap(({ functions }) => functions);
    expect(all.sort()).toEqual(stack.functions.map(({ name }) => name).sort());
  });
});

it("names the functions where a wildcard would take another party's too", () => {
  const fn = (name: string, party: string) =>
    ({ name, annotations: { "com.dynamos.party": party } }) as unknown as StackFunction;
  const functions = [fn("uva-sql-query", "UVA"), fn("uva-med-sql-query", "UVA-MED"), fn("orchestrator", "exchange")];
  expect(partsOf({ path: "", copy: [], functions }).map(({ party, selection }) => [party, flagsOf(selection)])).toEqual(
    [
      ["UVA", '--regex "^(uva-sql-query)$"'],
      ["UVA-MED", '--filter "uva-med-*"'],
      ["exchange", '--regex "^(orchestrator)$"'],
    ],
  );
});
