import { describe, expect, it } from "vitest";
import { textTable } from "./text-table.ts";

describe("a table as text", () => {
  it("has numbers to the right, text to the left and a dash for null", () => {
    const columns = [
      { name: "Geslacht", type: "text" },
      { name: "average", type: "double" },
    ];
    expect(
      textTable({
        columns,
        rows: [
          ["M", 11.8771],
          ["Vrouw", null],
        ],
      }),
    ).toBe(["Geslacht  average", "────────  ───────", "M         11.8771", "Vrouw           –"].join("\n"));
  });

  it("counts the rows that it does not show", () => {
    const rows = Array.from({ length: 1_025 }, (_, i) => [i]);
    expect(textTable({ columns: [{ name: "n" }], rows })).toContain("… and 1,005 more rows");
  });

  it("lets no control character through to the terminal", () => {
    expect(textTable({ columns: [{ name: "a" }], rows: [["\u001b[31mred"]] })).not.toContain("\u001b");
  });
});
