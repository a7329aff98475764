/** Asks the function agreement-check about what a schema can't judge in an agreement: its row filters and denied columns. */
import { randomUUID } from "node:crypto";
import { Envelope, ErrorCode, type Reason, type Reply } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";

const step = "agreement-check";

/**
 * What is wrong with it, each with the path in the agreement; nothing is sent where no relation has a filter or denies a column.
 *
 * @param agreement JSON that is valid by its schema
 * @throws DynamosError of the broker; what the function failed with; DEADLINE_EXCEEDED
 */
export async function checkAgreement(api: SidecarApi, exchangeParty: string, agreement: unknown): Promise<Reason[]> {
  const protecting = withProtection(agreement);
  if (protecting === undefined) return [];
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), limits.agreementCheckMsMax);
  try {
    for await (const reply of api.request(envelopeOf(exchangeParty, protecting), deadline.signal))
      return reasonsIn(reply);
  } finally {
    clearTimeout(timer);
    deadline.abort();
  }
  throw new DynamosError(
    ErrorCode.DEADLINE_EXCEEDED,
    "the agreement's row filters and denied columns were not checked in time",
  );
}

interface AgreementLike {
  readonly name: string;
  readonly relations: Readonly<Record<string, { readonly rowFilters?: object; readonly deniedColumns?: object }>>;
}

/** The agreement with those relations alone that have a filter or deny a column; undefined: there are none. */
function withProtection(agreement: unknown): AgreementLike | undefined {
  const { name, relations } = agreement as AgreementLike;
  const kept = Object.entries(relations).filter(
    ([, { rowFilters, deniedColumns }]) => Object.keys({ ...rowFilters, ...deniedColumns }).length > 0,
  );
  return kept.length === 0 ? undefined : { name, relations: Object.fromEntries(kept) };
}

function envelopeOf(party: string, agreement: AgreementLike): Envelope {
  const queryId = `${step}-${randomUUID()}`;
  const document = { mediaType: "application/json", body: Buffer.from(JSON.stringify(agreement)) };
  return Envelope.fromPartial({
    queryId,
    party,
    step,
    attempt: 1,
    deadlineMs: Date.now() + limits.agreementCheckMsMax,
    // Without an id: one of the chains of the exchange itself, near which no data is.
    chain: { id: "", party, steps: [step] },
    // Its providers are those whose data sets the function gets to know.
    query: { id: queryId, providers: [agreement.name] },
    inputs: [{ provider: "", payload: { content: { $case: "result", value: { document } } } }],
  });
}

function reasonsIn({ content }: Reply): Reason[] {
  switch (content?.$case) {
    case "refusal":
      return content.value.reasons;
    case "failure":
      throw new DynamosError(content.value.code, content.value.message);
    default:
      throw new DynamosError(ErrorCode.INTERNAL, "the agreement's row filters and denied columns were not checked");
  }
}
