import { describe, expect, it } from "vitest";
import { selectNames } from "./select-functions.ts";

const names = ["orchestrator", "uva-sql-query", "uva-x-sql-query", "vu-sql-query"];

describe("faas-cli's", () => {
  it.each([
    ["uva-*", ["uva-sql-query", "uva-x-sql-query"]],
    ["*-sql-*", ["uva-sql-query", "uva-x-sql-query", "vu-sql-query"]],
    ["u*-*query", ["uva-sql-query", "uva-x-sql-query"]],
    ["*", names],
    ["**", names],
    ["orchestrator", ["orchestrator"]],
    ["", names],
  ])("--filter %j fits the whole name", (filter, chosen) => {
    expect(selectNames(names, { filter })).toEqual(chosen);
  });

  it.each([
    ["sql", ["uva-sql-query", "uva-x-sql-query", "vu-sql-query"]],
    ["^vu", ["vu-sql-query"]],
    ["^(orchestrator|vu-.*)$", ["orchestrator", "vu-sql-query"]],
    ["", names],
  ])("--regex %j fits anywhere in the name", (regex, chosen) => {
    expect(selectNames(names, { regex })).toEqual(chosen);
  });

  it.each([
    [{ filter: "orch" }, "no function has a name like orch; there are orchestrator, uva-sql-query"],
    [{ filter: "uva-?" }, "no function has a name like uva-?"],
    [{ filter: "[uv]*" }, "no function has a name like [uv]*"],
    [{ regex: "^sql" }, "no function has a name like ^sql"],
    [{ filter: "a", regex: "b" }, "--filter and --regex exclude each other"],
    [{ regex: "^(?!uva-)" }, "Go's regular expressions have no lookaround"],
    [{ regex: "(" }, "--regex (: is no regular expression"],
  ])("%j is an error that says why", (selection, message) => {
    expect(() => selectNames(names, selection)).toThrow(message);
  });
});
