/** An answer as bytes, made while they are taken: never more of a table in memory than a batch. */
import { setImmediate } from "node:timers/promises";
import type { Result, Table } from "#contracts";
import { arrowBytes } from "#data/answer-formats/arrow";
import { csvTexts } from "#data/answer-formats/csv";
import { jsonTableTexts } from "#data/answer-formats/json";
import { ndjsonTexts } from "#data/answer-formats/ndjson";
import { type UnitedTables, uniteTables } from "#data/answer-formats/united-tables";
import type { TableSource } from "#data/table-source";
import type { Answer, PartyResult } from "./answer.ts";
import type { AnswerFormat } from "./answer-format.ts";

export type Open = (table: Table) => TableSource;

/** @returns the bytes, or why this answer has no such format, as a clause for people */
export function answerBytes(answer: Answer, { name }: AnswerFormat, open: Open): AsyncGenerator<Uint8Array> | string {
  if (name === "json") return toBytes(documentTexts(answer, open));
  const tables = unitedTables(answer, open);
  if (typeof tables === "string") return tables;
  if (name === "arrow") return inTurns(arrowBytes(tables));
  return toBytes(name === "csv" ? csvTexts(tables) : ndjsonTexts(tables));
}

/**
 * Known before the first byte: every table comes whole, with its number, and its source fails where it has another.
 * @returns undefined for the document, which ends by itself
 */
export function rowCount({ results }: Answer, { name }: AnswerFormat): number | undefined {
  return name === "json" ? undefined : results.reduce((sum, { result }) => sum + (result.table?.rows ?? 0), 0);
}

/** With a column for the party wherever several were to answer, so that the shape does not hang on who did. */
function unitedTables({ results, answering }: Answer, open: Open): UnitedTables | string {
  const without = results.find(({ result }) => result.table === undefined);
  if (without !== undefined) return `the result of ${without.party} is no table`;
  const parts = results.flatMap(({ party, result: { table } }) =>
    table === undefined ? [] : [{ party, source: open(table) }],
  );
  return uniteTables(parts, answering.length > 1);
}

async function* documentTexts({ id, complete, results, record }: Answer, open: Open): AsyncGenerator<string> {
  yield `${JSON.stringify({ id, status: "answered", complete }).slice(0, -1)},"results":[`;
  for (const [i, result] of results.entries()) {
    if (i > 0) yield ",";
    yield* resultTexts(result, open);
  }
  yield `],${JSON.stringify(record).slice(1)}\n`;
}

/** Columns and rows, the chart and the document, as far as the chain made them. */
async function* resultTexts({ party, providers, archetype, result }: PartyResult, open: Open): AsyncGenerator<string> {
  yield JSON.stringify({ party, providers, archetype }).slice(0, -1);
  if (result.table !== undefined) {
    yield ",";
    yield* jsonTableTexts(open(result.table));
  }
  const rest = JSON.stringify(restJson(result));
  yield rest === "{}" ? "}" : `,${rest.slice(1)}`;
}

function restJson({ chart, document }: Result) {
  return {
    ...(chart === undefined ? {} : { chart: { mediaType: "image/svg+xml", svg: chart.svg } }),
    ...(document === undefined ? {} : { document: documentJson(document.mediaType, document.body) }),
  };
}

function documentJson(mediaType: string, body: Uint8Array) {
  const text = new TextDecoder().decode(body);
  return { mediaType, content: mediaType === "application/json" ? JSON.parse(text) : text };
}

/** Characters that are worth a piece of their own. */
const pieceCharsMin = 32_768;

async function* toBytes(texts: AsyncGenerator<string>): AsyncGenerator<Uint8Array> {
  let text = "";
  for await (const more of texts) {
    if (text.length >= pieceCharsMin) {
      yield Buffer.from(text);
      text = "";
      await setImmediate();
    }
    text += more;
  }
  yield Buffer.from(text);
}

/** Others get their turn between two pieces, also while the client takes them as fast as they come. */
async function* inTurns(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    await setImmediate();
  }
}
