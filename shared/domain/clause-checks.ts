/** One check per clause of an agreement: each says what speaks against a query, or nothing. */
import { type Agreement, ErrorCode, type Query, type Reason, type Relation } from "#contracts";
import { commonNames, listed, sortedNames } from "./by-name.ts";

/** What a clause is checked against. */
export interface ClauseQuestion {
  readonly query: Query;
  readonly provider: string;
  readonly agreement: Agreement;
  readonly relation: Relation;
  /** Names of the data sets that the provider has. */
  readonly describedDataSets: readonly string[];
  readonly nowMs: number;
}

/** `name` is stable: decisions are recorded and explained by it. */
export interface ClauseCheck {
  readonly name: string;
  readonly reasons: (question: ClauseQuestion) => Reason[];
}

/** What an algorithm list calls a query without an algorithm: the rows as they are. */
export const rowsAlgorithm = "rows";

/** What the original writes for a relation's id when nobody was bound to it. */
const placeholderId = "GUID";

/** Every clause, in the order in which reasons are given. */
export const clauseChecks: readonly ClauseCheck[] = [
  { name: "userId", reasons: userIdReasons },
  { name: "validity", reasons: validityReasons },
  { name: "requestTypes", reasons: requestTypeReasons },
  { name: "dataSets", reasons: dataSetReasons },
  { name: "archetypes", reasons: archetypeReasons },
  { name: "allowedAlgorithms", reasons: algorithmReasons },
];

/** Path of a relation inside its agreement, e.g. `relations["a@b.org"].dataSets`. */
export function relationClause(userName: string, field?: string): string {
  const relation = `relations[${JSON.stringify(userName)}]`;
  return field === undefined ? relation : `${relation}.${field}`;
}

export function userNameOf(query: Query): string {
  return query.user?.name ?? "";
}

/** Those asked for; where none is named, those that the provider has and the relation allows. */
export function dataSetsAsked({ query, relation, describedDataSets }: ClauseQuestion): string[] {
  return query.dataSets.length > 0 ? sortedNames(query.dataSets) : commonNames(relation.dataSets, describedDataSets);
}

/** What the steward allows at all and this user too. */
export function archetypesAllowed({ agreement, relation }: ClauseQuestion): string[] {
  return commonNames(agreement.archetypes, relation.allowedArchetypes).filter((name) => name !== "");
}

function denial(question: ClauseQuestion, field: string, message: string, code = ErrorCode.DENIED): Reason {
  return {
    code,
    clause: relationClause(userNameOf(question.query), field),
    message: `${question.provider} ${message}`,
  };
}

function userIdReasons(question: ClauseQuestion): Reason[] {
  const asked = question.query.user?.id ?? "";
  const bound = question.relation.id;
  if (bound === "" || bound === placeholderId || asked === bound) {
    return [];
  }
  // The bound id stays unsaid: it would tell a stranger whom to pose as.
  return [
    denial(
      question,
      "ID",
      `has an agreement with another user of this name, not with ${asked === "" ? "one that gives no id" : `id ${asked}`}`,
    ),
  ];
}

function validityReasons(question: ClauseQuestion): Reason[] {
  const { validFromMs, validUntilMs } = question.relation;
  const reasons: Reason[] = [];
  if (validFromMs !== undefined && question.nowMs < validFromMs) {
    reasons.push(denial(question, "validFrom", `allows nothing before ${instant(validFromMs)}`));
  }
  if (validUntilMs !== undefined && question.nowMs >= validUntilMs) {
    reasons.push(denial(question, "validUntil", `allows nothing from ${instant(validUntilMs)} on`));
  }
  return reasons;
}

function requestTypeReasons(question: ClauseQuestion): Reason[] {
  const asked = question.query.requestType;
  const allowed = sortedNames(question.relation.requestTypes);
  return allowed.includes(asked)
    ? []
    : [denial(question, "requestTypes", `does not allow request type ${asked || "(none)"}, only ${listed(allowed)}`)];
}

function dataSetReasons(question: ClauseQuestion): Reason[] {
  const allowed = sortedNames(question.relation.dataSets);
  const asked = dataSetsAsked(question);
  if (asked.length === 0) {
    return [denial(question, "dataSets", "has no data set that the agreement allows")];
  }
  return asked.flatMap((name) => {
    if (!allowed.includes(name)) {
      return [denial(question, "dataSets", `does not allow data set ${name}, only ${listed(allowed)}`)];
    }
    return question.describedDataSets.includes(name)
      ? []
      : [denial(question, "dataSets", `allows data set ${name} but does not have it`, ErrorCode.NOT_FOUND)];
  });
}

function archetypeReasons(question: ClauseQuestion): Reason[] {
  if (archetypesAllowed(question).length > 0) {
    return [];
  }
  const steward = listed(sortedNames(question.agreement.archetypes));
  const user = listed(sortedNames(question.relation.allowedArchetypes));
  return [denial(question, "allowedArchetypes", `allows no archetype: ${steward} in general, ${user} to this user`)];
}

function algorithmReasons(question: ClauseQuestion): Reason[] {
  const allowed = question.relation.allowedAlgorithms;
  const asked = question.query.algorithm?.name || rowsAlgorithm;
  return allowed === undefined || allowed.names.includes(asked)
    ? []
    : [
        denial(
          question,
          "allowedAlgorithms",
          `does not allow algorithm ${asked}, only ${listed(sortedNames(allowed.names))}`,
        ),
      ];
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
