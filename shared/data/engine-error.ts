/** The engine's errors in our words: never with a value from the data, which its own words may hold. */
import { ErrorCode } from "#contracts";
import { nearestName } from "#domain/nearest-name";
import { DynamosError } from "#errors";
import { outOfMemory } from "./duckdb.ts";

/** @param columns those that there are for this user, by table */
export function engineError(error: unknown, columns: ReadonlyMap<string, readonly string[]>): DynamosError {
  if (error instanceof DynamosError) return error;
  const text = error instanceof Error ? error.message : "";
  const [first = ""] = text.split("\n");
  const memory = outOfMemory(error);
  if (memory !== undefined) return memory;
  const column = /column "([^"]*)" not found|does not have a column named "([^"]*)"/.exec(first);
  if (column !== null) return unknownColumn(column[1] ?? column[2] ?? "", columns, error);
  const kind = /^([A-Za-z ]+) Error/.exec(first)?.[1] ?? "";
  // What the parser and the binder say is about the user's own text.
  if (kind === "Parser" || kind === "Binder") {
    return new DynamosError(ErrorCode.SQL_INVALID, lowerFirst(first.replace(/^[A-Za-z ]+ Error: /, "")), {
      cause: error,
    });
  }
  return new DynamosError(ErrorCode.SQL_INVALID, runtimeProblem(kind), { cause: error });
}

function runtimeProblem(kind: string): string {
  switch (kind) {
    case "Conversion":
      return "a value can't be converted to the type that the query asks for: use TRY_CAST";
    case "Out of Range":
      return "a value is out of the range of its type";
    case "Invalid Input":
      return "a function got an argument that it can't use";
    default:
      return "the query can't be run";
  }
}

function unknownColumn(name: string, columns: ReadonlyMap<string, readonly string[]>, cause: unknown): DynamosError {
  const all = [...new Set([...columns.values()].flat())].sort();
  const near = nearestName(name, all);
  const hint = near === undefined ? `there are ${all.join(", ")}` : `did you mean ${near}?`;
  return new DynamosError(ErrorCode.UNKNOWN_COLUMN, `there is no column ${name.slice(0, 64)}: ${hint}`, { cause });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/[.!]$/, "");
}
