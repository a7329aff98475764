import { describe, expect, it } from "vitest";
import { isBusy, loadInWords, loadSaid, meanLoads } from "./load.ts";

describe("a load", () => {
  it.each([
    [undefined, false],
    [0, false],
    [0.7999, false],
    [0.8, true],
    [1, true],
  ])("of %s counts as busy: %s", (load, busy) => {
    expect(isBusy(load)).toBe(busy);
  });

  it("never reads as 80 % when it counts as below", () => {
    expect(loadInWords("UVA", 0.7999)).toBe("UVA is at 79 % of its capacity");
    expect(loadInWords("UVA", 0.29)).toBe("UVA is at 29 % of its capacity");
    expect(loadInWords("UVA", undefined)).toBe("the load of UVA is not known");
  });

  it("is the mean of a party's sidecars, of those that say one", () => {
    const loads = meanLoads([
      { party: "UVA", load: 1 },
      { party: "VU", load: undefined },
      { party: "UVA", load: 0.5 },
      { party: "UVA", load: undefined },
    ]);
    expect([...loads]).toEqual([["UVA", 0.75]]);
  });

  it.each([{ load: -0.1 }, { load: 1.1 }, { load: "0.9" }, { load: null }, { load: Number.NaN }, {}, null, 0.9, []])(
    "that can't be is not known: %j",
    (json) => {
      expect(loadSaid(json)).toBeUndefined();
    },
  );

  it.each([0, 0.42, 1])("is read as it was said: %s", (load) => {
    expect(loadSaid({ party: "UVA", load })).toBe(load);
  });
});
