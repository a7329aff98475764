/** Looks at an agreement before it is stored: whether what it protects can be protected where the data is. */
import { type Agreement, type Document, type Envelope, ErrorCode, type Outcome, type Reason } from "#contracts";
import { agreementFromJson, InvalidDocument } from "#contracts/documents";
import { type Engine, openEngine } from "#data/duckdb";
import { refuse } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";
import { filterReasons } from "./filter-reasons.ts";
import { tableReasons } from "./table-reasons.ts";

interface Facts {
  readonly reasons: Reason[];
}

/** Predicates are read, never run. */
const engineOptions = { memoryMb: 64, threads: 1 };

export default defineStep<Facts, Engine>({
  name: "agreement-check",
  isolation: "single-use",
  accepts: "result",
  facts: async (envelope, { prepared }) => {
    return { reasons: await reasonsOf(agreementOf(documentOf(envelope)), envelope, prepared) };
  },
  // Always the reasons against it, of which there may be none: the exchange's own chain hands out no documents.
  decide: (_, { reasons }): Outcome => refuse(reasons),
  rehearse: async ({ prepared }) => {
    const json = {
      name: "A",
      relations: {
        nobody: {
          requestTypes: [],
          dataSets: [],
          allowedArchetypes: [],
          allowedComputeProviders: [],
          rowFilters: { t: "c > 1" },
        },
      },
    };
    await reasonsOf(agreementFromJson(json, 0), { knowledge: undefined }, prepared);
  },
  prepare: () => openEngine(engineOptions),
});

/** @param prepared ends with the process */
async function reasonsOf(
  agreement: Agreement,
  { knowledge }: Pick<Envelope, "knowledge">,
  prepared: Engine | undefined,
): Promise<Reason[]> {
  const engine = prepared ?? (await openEngine(engineOptions));
  try {
    const own = (knowledge?.dataSets ?? []).filter(({ party }) => party === agreement.name);
    return [...(await filterReasons(engine.connection, agreement, own)), ...tableReasons(agreement, own)];
  } finally {
    if (prepared === undefined) engine.close();
  }
}

function documentOf({ inputs }: Envelope): Document {
  const content = inputs[0]?.payload?.content;
  const document = content?.$case === "result" ? content.value.document : undefined;
  if (document?.mediaType === "application/json") return document;
  throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the envelope has no agreement");
}

function agreementOf({ body }: Document): Agreement {
  try {
    return agreementFromJson(JSON.parse(Buffer.from(body).toString("utf8")), 0);
  } catch (error) {
    if (!(error instanceof InvalidDocument || error instanceof SyntaxError)) throw error;
    const why = error instanceof InvalidDocument ? error.message : "the agreement is no JSON";
    throw new DynamosError(ErrorCode.INVALID_REQUEST, why, { cause: error });
  }
}
