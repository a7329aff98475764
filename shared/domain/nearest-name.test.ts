import { expect, it } from "vitest";
import { nearestName } from "./nearest-name.ts";

const known = ["environment", "environment_file", "handler", "image", "limits", "labels", "readonly_root_filesystem"];

it.each([
  ["enviroment", "environment"],
  ["Environment", "environment"],
  ["hanlder", "handler"],
  ["imgae", "image"],
  ["read_only_root_filesystem", "readonly_root_filesystem"],
  ["label", "labels"],
  ["parallel", undefined],
  ["", undefined],
  ["x", undefined],
])("of %j is %j", (name, meant) => {
  expect(nearestName(name, known)).toBe(meant);
});

it("is nothing when no name is known", () => {
  expect(nearestName("image", [])).toBeUndefined();
});
