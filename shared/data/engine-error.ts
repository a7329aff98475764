/** The engine's errors in our words: never with a value from the data, which its own words may hold. */
import { ErrorCode } from "#contracts";
import { nearestHint } from "#domain/nearest-name";
import { DynamosError } from "#errors";
import { outOfMemory } from "./duckdb.ts";
import { shorten } from "./shorten.ts";

/** What the user wrote may be in it, as long as it is. */
const messageCharactersMax = 300;

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
  // What these say is about the user's own text.
  if (kind === "Parser" || kind === "Binder" || kind === "Catalog") {
    return new DynamosError(ErrorCode.SQL_INVALID, aboutSql(first), { cause: error });
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
  const hint = nearestHint(name, all, `there are ${all.join(", ")}`);
  return new DynamosError(ErrorCode.UNKNOWN_COLUMN, `there is no column ${shorten(name)}: ${hint}`, { cause });
}

/** Advice to change the engine's settings, which nobody can here. */
const settingsAdvice = /[.;]?\s*Use "?(SET|PRAGMA)\b.*$/i;

/** The first line of what the parser, the binder or the catalogue of the engine says, in our form. */
export function aboutSql(line: string): string {
  const said = line.replace(/^[A-Za-z ]+ Error: /, "").replace(settingsAdvice, "");
  // The guard lets through no function that there isn't, but a window function may stand alone.
  const called = /^Scalar Function with name "?(\w+)"? does not exist/.exec(said)?.[1];
  if (called !== undefined) return `there is no function ${called} without OVER (…)`;
  const text = said.replaceAll("memory.main.", "").replace(/[.!]$/, "");
  // SQL's own words stay as they are: LIMIT/OFFSET, QUANTILE.
  const isWord = /^[A-Z](?![A-Z/])/.test(text);
  return shorten(isWord ? text.charAt(0).toLowerCase() + text.slice(1) : text, messageCharactersMax);
}
