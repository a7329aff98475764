/** What each clause compares, in words: said whether it holds or not. */
import { listed, sortedNames } from "../by-name.ts";
import { archetypesAllowed, type ClauseQuestion, dataSetsAsked, rowsAlgorithm } from "../clause-checks.ts";
import { periodInWords } from "../period-in-words.ts";

type Comparison = (question: ClauseQuestion) => string;

/** By the name of the clause. Of an id that an agreement is bound to only whether it is the asker's is said. */
const comparisons: Readonly<Record<string, Comparison>> = {
  userId: ({ query, relation }) => {
    if (relation.id === "" || relation.id === "GUID") return "the agreement is with any user of this name";
    const asker = query.user?.id || "no id";
    return `the agreement is with one user of this name, by id; ${asker} asks`;
  },
  validity: ({ relation: { validFromMs, validUntilMs }, nowMs }) => {
    const from = validFromMs === undefined ? "" : ` from ${instant(validFromMs)}`;
    const until = validUntilMs === undefined ? "" : ` until ${instant(validUntilMs)}`;
    return from + until === "" ? "holds at any time" : `holds${from}${until}; now it is ${instant(nowMs)}`;
  },
  requestTypes: ({ query, relation }) => `allows ${names(relation.requestTypes)}; asked for ${query.requestType}`,
  dataSets: (question) =>
    `allows ${names(question.relation.dataSets)} and has ${names(question.describedDataSets)}; ${
      question.query.dataSets.length === 0 ? "asked for any" : `asked for ${listed(dataSetsAsked(question))}`
    }`,
  archetypes: ({ agreement, relation }) =>
    `allows ${names(agreement.archetypes)} in general, ${names(relation.allowedArchetypes)} to this user`,
  resultRecipients: (question) => {
    const recipients = question.relation.resultRecipients;
    return recipients === undefined
      ? "the result may go to whoever an archetype gives it to"
      : `the result may go to ${names(recipients.names)}; that leaves ${listed(archetypesAllowed(question))}`;
  },
  allowedAlgorithms: ({ query, relation }) => {
    const asked = query.algorithm?.name || rowsAlgorithm;
    return `allows ${relation.allowedAlgorithms === undefined ? "any algorithm" : names(relation.allowedAlgorithms.names)}; asked for ${asked}`;
  },
  purposes: ({ query, relation }) =>
    `allows ${relation.purposes === undefined ? "any purpose" : names(relation.purposes.names)}; stated ${query.purpose || "none"}`,
  queriesPerPeriod: ({ relation: { queriesPerPeriod }, usage }) => {
    if (queriesPerPeriod === undefined) return "allows any number of queries";
    const used = usage === undefined ? "nobody has counted them" : `${usage.queries} asked in this one`;
    return `allows ${queriesPerPeriod.max} in ${periodInWords(queriesPerPeriod.periodMs)}; ${used}`;
  },
};

export function comparisonOf(clause: string, question: ClauseQuestion): string {
  return comparisons[clause]?.(question) ?? "";
}

function names(list: readonly string[]): string {
  return listed(sortedNames(list));
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
