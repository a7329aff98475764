import { describe, expect, it } from "vitest";
import { jsonLog } from "./log.ts";

describe("the log of JSON lines", () => {
  it("writes one line with time, level, message and the fields of all its makers", () => {
    const lines: string[] = [];
    const log = jsonLog({ level: "info", fields: { party: "UVA" }, write: (line) => lines.push(line) }).with({
      step: "sql-query",
    });
    log.log("warn", "two\nlines", { tries: 2, absent: undefined });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.indexOf("\n")).toBe((lines[0]?.length ?? 0) - 1);
    const line = JSON.parse(lines[0] ?? "");
    expect(line).toEqual({
      time: line.time,
      level: "warn",
      message: "two\nlines",
      party: "UVA",
      step: "sql-query",
      tries: 2,
    });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  it.each([
    ["debug", 4],
    ["info", 3],
    ["warn", 2],
    ["error", 1],
  ] as const)("at level %s writes %i of the four levels", (level, count) => {
    const lines: string[] = [];
    const log = jsonLog({ level, write: (line) => lines.push(line) });
    for (const one of ["debug", "info", "warn", "error"] as const) log.log(one, "x");
    expect(lines).toHaveLength(count);
  });
});
