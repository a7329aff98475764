/** Steps over made-up bytes: small, fast, and their results can be known without them. */
import { createCipheriv, createHash } from "node:crypto";
import type { Envelope, Result, Table } from "#contracts";
import { limits } from "#domain/limits";
import { forwardResult } from "#domain/outcome";
import { defineStep, type Step } from "#runtime/define-step";
import type { TableFlow } from "#runtime/table-flow";

export interface MadeUpQuery {
  readonly seed: number;
  /** Of each provider's table. */
  readonly bytes: number;
  /** What the last step answers: the number of bytes and their hash, or the bytes themselves. */
  readonly answers: "digest" | "table";
}

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

export function sqlOf({ seed, bytes, answers }: MadeUpQuery): string {
  return `SELECT ${seed} ${bytes} ${answers}`;
}

function queryOf(envelope: Envelope): MadeUpQuery {
  const [, seed, bytes, answers] = (envelope.query?.sql ?? "").split(" ");
  return { seed: Number(seed), bytes: Number(bytes), answers: answers === "table" ? "table" : "digest" };
}

/** A provider's table. */
export function madeUpBytes(party: string, { seed, bytes }: MadeUpQuery): Buffer {
  const key = createHash("sha256").update(`${party} ${seed}`).digest();
  return createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(bytes));
}

export function digestOf(parts: readonly Uint8Array[]): Digest {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return { bytes: parts.reduce((sum, { length }) => sum + length, 0), sha256: hash.digest("hex") };
}

const pieceBytes = 64 * 1_024;

async function tableOf(bytes: Buffer, { emit }: TableFlow): Promise<Table> {
  if (bytes.length <= limits.inlineBytesMax) return { arrowIpc: bytes, rows: bytes.length, transfer: undefined };
  for (let at = 0; at < bytes.length; at += pieceBytes) await emit(bytes.subarray(at, at + pieceBytes));
  const transfer = { name: "", chunks: 0, bytes: 0, sha256: Buffer.alloc(0) };
  return { arrowIpc: Buffer.from("schema"), rows: bytes.length, transfer };
}

/** Of all inputs, in their order. */
async function inputBytes(envelope: Envelope, { bytesOf }: TableFlow): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const index of envelope.inputs.keys()) {
    for await (const part of bytesOf(index)) parts.push(Uint8Array.from(part));
  }
  return Buffer.concat(parts);
}

const result = (content: Partial<Result>) =>
  forwardResult({ table: undefined, chart: undefined, document: undefined, ...content });

const query = defineStep<Table>({
  name: "sql-query",
  isolation: "shared",
  accepts: "nothing",
  facts: (envelope, _, flow) => tableOf(madeUpBytes(envelope.party, queryOf(envelope)), flow),
  decide: (_, table) => result({ table }),
});

const passing = (name: string) =>
  defineStep<Table>({
    name,
    isolation: "shared",
    accepts: "result",
    facts: async (envelope, _, flow) => tableOf(await inputBytes(envelope, flow), flow),
    decide: (_, table) => result({ table }),
  });

const algorithm = defineStep<Partial<Result>>({
  name: "sql-algorithm",
  isolation: "shared",
  accepts: "result",
  facts: async (envelope, _, flow) => {
    const bytes = await inputBytes(envelope, flow);
    if (queryOf(envelope).answers === "table") return { table: await tableOf(bytes, flow) };
    const body = Buffer.from(JSON.stringify(digestOf([bytes])));
    return { document: { mediaType: "application/json", body } };
  },
  decide: (_, content) => result(content),
});

const provider = [query, passing("sql-anonymize"), algorithm];

/** A step of this name that does something else first, and its own work unless that throws. */
export function disturbed(step: Step, first: (envelope: Envelope, flow: TableFlow) => Promise<void>): Step {
  return {
    ...step,
    facts: async (envelope, context, flow) => {
      await first(envelope, flow);
      return step.facts(envelope, context, flow);
    },
  };
}

export const madeUpSteps: Readonly<Record<string, readonly Step[]>> = {
  UVA: provider,
  VU: provider,
  SURF: [passing("sql-aggregate"), algorithm],
};
