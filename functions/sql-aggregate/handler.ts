/** Unites the providers' tables, each once. */
import { type Envelope, ErrorCode, type Input, type Table } from "#contracts";
import { tableOfInput } from "#data/input-table";
import { tableSource } from "#data/table-source";
import { compareNames } from "#domain/by-name";
import { givesHead } from "#domain/head";
import { forwardResult } from "#domain/outcome";
import { DynamosError, labelOf } from "#errors";
import { defineStep } from "#runtime/define-step";
import { rehearsalTables } from "./rehearsal.ts";
import { uniteTables } from "./unite-tables.ts";

export default defineStep<Table>({
  name: "sql-aggregate",
  isolation: "single-use",
  accepts: "result",
  fusible: ["sql-algorithm", "sql-graph"],
  // All of it is pure, and what the tables' content causes is thrown here, where a failure may be.
  facts: (envelope, _context, flow) =>
    uniteTables(
      partsOf(envelope).map((input) => ({
        provider: input.provider,
        source: tableSource(tableOfInput(input), flow.bytesOf(envelope.inputs.indexOf(input))),
      })),
      flow.emit,
      givesHead(envelope),
    ),
  decide: (_, table) => forwardResult({ table, chart: undefined, document: undefined }),
  rehearse: async () => {
    await uniteTables(rehearsalTables(), async () => {});
  },
});

/**
 * One input per provider, sorted by provider, so that arrival never changes the result.
 *
 * @throws DynamosError PART_MISSING, ENVELOPE_INVALID
 */
function partsOf({ inputs, chain }: Envelope): Input[] {
  const byProvider = new Map<string, Input>();
  for (const input of inputs) {
    if (input.failure !== undefined) {
      const { code, message } = input.failure;
      throw new DynamosError(
        ErrorCode.PART_MISSING,
        `the part of ${input.provider} is missing: ${labelOf(code)}, ${message}`,
      );
    }
    // A message may come twice; a provider's rows must not.
    if (!byProvider.has(input.provider)) byProvider.set(input.provider, input);
  }
  const absent = chain?.providers.find((provider) => !byProvider.has(provider));
  if (absent !== undefined) {
    throw new DynamosError(ErrorCode.PART_MISSING, `the part of ${absent} is missing`);
  }
  if (byProvider.size === 0) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "there is nothing to unite");
  }
  return [...byProvider.values()].sort((a, b) => compareNames(a.provider, b.provider));
}
