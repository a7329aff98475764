/** One check per clause of an agreement: each says what speaks against a query, or nothing. */
import {
  type Agreement,
  type Archetype,
  ErrorCode,
  type Query,
  type Reason,
  type Relation,
  type Usage,
} from "#contracts";
import { commonNames, listed, sortedNames } from "./by-name.ts";
import { periodInWords } from "./period-in-words.ts";

/** What a clause is checked against. */
export interface ClauseQuestion {
  readonly query: Query;
  readonly provider: string;
  readonly agreement: Agreement;
  readonly relation: Relation;
  /** Names of the data sets that the provider has. */
  readonly describedDataSets: readonly string[];
  /** Those that are defined: who gets the result is theirs to say. */
  readonly archetypes: readonly Archetype[];
  /** Of the asking user at this provider; undefined: nobody has counted. */
  readonly usage: Usage | undefined;
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
  { name: "resultRecipients", reasons: recipientReasons },
  { name: "allowedAlgorithms", reasons: algorithmReasons },
  { name: "purposes", reasons: purposeReasons },
  { name: "queriesPerPeriod", reasons: quotaReasons },
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

/** What the steward allows at all and this user too, and whose result goes to whom it may go. */
export function archetypesAllowed(question: ClauseQuestion): string[] {
  const recipients = question.relation.resultRecipients?.names;
  return archetypesNamed(question).filter((name) => {
    const recipient = recipientOf(name, question);
    return recipients === undefined || (recipient !== "" && recipients.includes(recipient));
  });
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
  if (archetypesNamed(question).length > 0) {
    return [];
  }
  const steward = listed(sortedNames(question.agreement.archetypes));
  const user = listed(sortedNames(question.relation.allowedArchetypes));
  return [denial(question, "allowedArchetypes", `allows no archetype: ${steward} in general, ${user} to this user`)];
}

function recipientReasons(question: ClauseQuestion): Reason[] {
  const named = archetypesNamed(question);
  const recipients = question.relation.resultRecipients?.names ?? [];
  if (named.length === 0 || archetypesAllowed(question).length > 0) {
    return [];
  }
  const given = named.map((name) => {
    const recipient = recipientOf(name, question);
    return recipient === "" ? `${name} does not say to whom` : `${name} gives it to ${recipient}`;
  });
  const message = `lets the result go to ${listed(sortedNames(recipients))} only: ${given.join(", ")}`;
  return [denial(question, "resultRecipients", message)];
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

function purposeReasons(question: ClauseQuestion): Reason[] {
  const allowed = question.relation.purposes;
  const asked = question.query.purpose;
  if (allowed === undefined || (asked !== "" && allowed.names.includes(asked))) {
    return [];
  }
  const message = `does not allow ${asked === "" ? "a query without a purpose" : `the purpose ${asked}`}`;
  return [denial(question, "purposes", `${message}, only ${listed(sortedNames(allowed.names))}`)];
}

/** Where nobody has counted, nobody knows that there is one left. */
function quotaReasons(question: ClauseQuestion): Reason[] {
  const quota = question.relation.queriesPerPeriod;
  const { usage } = question;
  if (quota === undefined || (usage !== undefined && usage.queries < quota.max)) {
    return [];
  }
  const queries = quota.max === 1 ? "1 query" : `${quota.max} queries`;
  const allowed = `allows ${quota.max === 0 ? "no query" : `at most ${queries}`} in ${periodInWords(quota.periodMs)}`;
  const message = usage === undefined ? `${allowed}, and nobody has counted them` : allowed;
  return [denial(question, "queriesPerPeriod", message, ErrorCode.RATE_LIMITED)];
}

function archetypesNamed({ agreement, relation }: ClauseQuestion): string[] {
  return commonNames(agreement.archetypes, relation.allowedArchetypes).filter((name) => name !== "");
}

/** Empty when the archetype is not defined or does not say. */
function recipientOf(archetype: string, { archetypes }: ClauseQuestion): string {
  return archetypes.find(({ name }) => name === archetype)?.resultRecipient ?? "";
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
