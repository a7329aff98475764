/** Policy evaluation: what one steward's agreement says about one query. */
import {
  type Agreement,
  type Approval,
  ErrorCode,
  type Knowledge,
  type Query,
  type Reason,
  type Relation,
  type Terms,
  type Usage,
  type Verdict,
} from "#contracts";
import { commonNames, compareNames, sortedNames } from "./by-name.ts";
import {
  archetypesAllowed,
  type ClauseQuestion,
  clauseChecks,
  dataSetsAsked,
  relationClause,
  userNameOf,
} from "./clause-checks.ts";
import { columnsDenied, columnsLeft } from "./permitted-columns.ts";

/**
 * Checks every clause and collects every reason, so that a refused user learns all at once.
 *
 * @param provider the party whose data is asked for
 * @param knowledge at least the provider's agreement and data sets, its party where it is registered, the
 *   archetypes, and the user's usage of the provider where the agreement has a quota
 * @param nowMs milliseconds since the epoch, for the agreement's dates
 */
export function evaluate(query: Query, provider: string, knowledge: Knowledge, nowMs: number): Verdict {
  const { question, missing } = questionOf(query, provider, knowledge, nowMs);
  if (question === undefined) {
    return refused(provider, [missing]);
  }
  const reasons = clauseChecks.flatMap((check) => check.reasons(question));
  return reasons.length > 0
    ? refused(provider, reasons)
    : { provider, decision: { $case: "terms", value: termsOf(question) } };
}

/** What the clauses are asked, or what is missing to ask them. Parameters as of `evaluate`. */
export function questionOf(
  query: Query,
  provider: string,
  knowledge: Knowledge,
  nowMs: number,
): { question: ClauseQuestion; missing?: never } | { missing: Reason; question?: never } {
  const agreement = agreementOf(knowledge, provider);
  if (agreement === undefined) {
    return { missing: missingAgreement(provider, knowledge) };
  }
  const userName = userNameOf(query);
  const relation = relationOf(agreement, userName);
  if (relation === undefined) {
    const message = `${provider} has no agreement with ${userName || "a user without a name"}`;
    return { missing: { code: ErrorCode.DENIED, clause: relationClause(userName), message } };
  }
  const describedDataSets = knowledge.dataSets.filter((set) => set.party === provider).map((set) => set.name);
  const { archetypes } = knowledge;
  const usage = knowledge.usage.find((one) => one.provider === provider);
  return { question: { query, provider, agreement, relation, describedDataSets, archetypes, usage, nowMs } };
}

/**
 * The same question again, of a query that was approved: it has its place in the quota already,
 * so the count is not looked at, only whether there is a quota of nothing by now.
 */
export function evaluateAgain(query: Query, provider: string, knowledge: Knowledge, nowMs: number): Verdict {
  return evaluate(query, provider, { ...knowledge, usage: unusedBy([provider]) }, nowMs);
}

/** For questions that are not about how much was used. */
export function unusedBy(providers: readonly string[]): Usage[] {
  return providers.map((provider) => ({ provider, queries: 0 }));
}

/** One unsigned approval for each provider that policy allows, sorted by provider. */
export function approvalsOf(query: Query, verdicts: readonly Verdict[], expiresAtMs: number): Approval[] {
  return verdicts
    .flatMap(({ provider, decision }) =>
      decision?.$case === "terms"
        ? [
            {
              queryId: query.id,
              user: query.user,
              provider,
              terms: decision.value,
              expiresAtMs,
              jws: "",
              querySha256: "",
              issuedAtMs: 0,
              replyTo: "",
              attempt: 0,
            },
          ]
        : [],
    )
    .sort((a, b) => compareNames(a.provider, b.provider));
}

export function refused(provider: string, reasons: Reason[]): Verdict {
  return { provider, decision: { $case: "refusal", value: { reasons } } };
}

/** The reasons of a refusal that concerns several providers: each clause says whose agreement it is in. */
export function placedReasons(verdicts: readonly Verdict[]): Reason[] {
  return [...verdicts]
    .sort((a, b) => compareNames(a.provider, b.provider))
    .flatMap(({ provider, decision }) =>
      decision?.$case === "refusal" ? placed(provider, decision.value.reasons) : [],
    );
}

function placed(provider: string, reasons: readonly Reason[]): Reason[] {
  return reasons.map((reason) => ({ ...reason, clause: reason.clause ? `${provider}.${reason.clause}` : provider }));
}

function agreementOf(knowledge: Knowledge, provider: string): Agreement | undefined {
  return knowledge.agreements.find((agreement) => agreement.name === provider);
}

function missingAgreement(provider: string, knowledge: Knowledge): Reason {
  return knowledge.parties.some((party) => party.name === provider)
    ? { code: ErrorCode.DENIED, clause: "", message: `${provider} has no agreement with anybody` }
    : { code: ErrorCode.UNKNOWN_PROVIDER, clause: "", message: `there is no provider named ${provider}` };
}

/** By exact name. User names come from outside: `__proto__` and its like are nobody's relation. */
function relationOf(agreement: Agreement, userName: string): Relation | undefined {
  return Object.hasOwn(agreement.relations, userName) ? agreement.relations[userName] : undefined;
}

function termsOf(question: ClauseQuestion): Terms {
  const { agreement, relation, query } = question;
  const demanded = Object.hasOwn(agreement.demandedSteps, query.requestType)
    ? (agreement.demandedSteps[query.requestType]?.names ?? [])
    : [];
  return {
    archetypes: archetypesAllowed(question),
    computeProviders: commonNames(agreement.computeProviders, relation.allowedComputeProviders),
    dataSets: dataSetsAsked(question),
    columns: columnsLeft(relation.allowedColumns, relation.deniedColumns),
    demandedSteps: sortedNames(demanded),
    agreementRevision: agreement.revision,
    deniedColumns: columnsDenied(relation.allowedColumns, relation.deniedColumns),
    rowFilters: [...relation.rowFilters].sort((a, b) => compareNames(a.table, b.table)),
    aggregatesOnly: relation.aggregatesOnly,
    minimumGroupSize: relation.minimumGroupSize,
    maximumRows: relation.maximumRows,
    resultRecipients: relation.resultRecipients && { names: sortedNames(relation.resultRecipients.names) },
  };
}
