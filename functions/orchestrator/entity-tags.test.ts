import { describe, expect, it } from "vitest";
import { entityTags, hasTag } from "./entity-tags.ts";

describe("a list of entity tags", () => {
  it.each([
    ['"7"', [{ weak: false, value: "7" }]],
    ['W/"7"', [{ weak: true, value: "7" }]],
    [
      ' "a" ,W/"b,c" ,, "" ',
      [
        { weak: false, value: "a" },
        { weak: true, value: "b,c" },
        { weak: false, value: "" },
      ],
    ],
  ])("%s is read", (field, tags) => {
    expect(entityTags(field)).toEqual(tags);
  });

  it.each(["", "7", '"7', '"7" "8"', 'w/"7"', '"7", 8', "*"])("%s is none", (field) => {
    expect(entityTags(field)).toBeUndefined();
  });

  it("has a tag weakly, or any with a star", () => {
    expect(hasTag('"6", W/"7"', "7")).toBe(true);
    expect(hasTag("*", "7")).toBe(true);
    expect(hasTag('"70"', "7")).toBe(false);
    expect(hasTag(undefined, "7")).toBe(false);
  });
});
