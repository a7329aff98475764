/** Chains of made-up steps at one party, with all that makes a sidecar run them: agreement, catalogue, signature. */
import { Envelope, type Knowledge, Query, Role } from "#contracts";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import { agreementKey, archetypeKey, dataSetKey, requestTypeKey, stepKey } from "#domain/knowledge-keys";
import { evaluateAgain } from "#domain/policy";
import { signedApproval } from "./approval-keys.ts";

const user = { id: "", name: "maker@example.org" };
const archetype = { name: "home", computeProvider: "dataProvider", resultRecipient: "requestor", weight: 1 };

export interface MadeChain {
  readonly party: string;
  readonly queryId: string;
  /** In the order in which they hand on. */
  readonly steps: readonly string[];
  readonly deadlineMs: number;
  readonly replyTo: string;
}

/** @param outputs each step to those that it may hand on to */
export function madeDocuments(party: string, outputs: Readonly<Record<string, readonly string[]>>) {
  const steps = Object.entries(outputs).map(([name, allowedOutputs]) => ({
    name,
    label: "dataProvider",
    allowedOutputs,
  }));
  // Each step is there when its own name is among the options.
  const requestType = {
    name: "made",
    requiredSteps: [],
    optionalSteps: Object.fromEntries(steps.map(({ name }) => [name, name])),
  };
  const dataSet = { name: "made", party, type: "csv", delimiter: ";", tables: [{ name: "Made", file: "none.csv" }] };
  return [
    { key: agreementKey(party), value: agreementOf(party) },
    { key: archetypeKey(archetype.name), value: archetype },
    { key: requestTypeKey(requestType.name), value: requestType },
    { key: dataSetKey(party, dataSet.name), value: dataSet },
    ...steps.map((step) => ({ key: stepKey(step.name), value: step })),
  ];
}

/** The first hop of such a chain, as the exchange would send it. */
export function madeEnvelope({ party, queryId, steps, deadlineMs, replyTo }: MadeChain): Envelope {
  const options = Object.fromEntries(steps.map((step) => [step, true]));
  const query = Query.fromPartial({
    id: queryId,
    requestType: "made",
    user,
    providers: [party],
    options: options as Record<never, boolean>,
  });
  const { decision } = evaluateAgain(query, party, knowledgeOf(party), 0);
  if (decision?.$case !== "terms") throw new RangeError(`${party} refuses a made-up query`);
  const message = { queryId, query, replyTo, attempt: 1, deadlineMs };
  return {
    ...Envelope.fromPartial({ queryId, party, attempt: 1, deadlineMs, replyTo, step: steps[0] ?? "" }),
    query,
    chain: {
      id: party,
      party,
      role: Role.ALL,
      archetype: archetype.name,
      steps: [...steps],
      providers: [party],
      gatherAt: "",
    },
    approvals: [signedApproval(message, { provider: party, terms: decision.value })],
    inputs: [{ provider: party, payload: undefined, failure: undefined }],
  };
}

function agreementOf(party: string) {
  const relation = {
    requestTypes: ["made"],
    dataSets: ["made"],
    allowedArchetypes: [archetype.name],
    allowedComputeProviders: [],
  };
  return { name: party, relations: { [user.name]: relation }, archetypes: [archetype.name] };
}

function knowledgeOf(party: string): Knowledge {
  const documents = madeDocuments(party, {});
  const valuesOf = (prefix: string) => documents.filter(({ key }) => key.startsWith(prefix)).map(({ value }) => value);
  return {
    agreements: valuesOf(agreementKey("")).map((value) => agreementFromJson(value, 1)),
    archetypes: valuesOf(archetypeKey("")).map((value) => archetypeFromJson(value)),
    requestTypes: valuesOf(requestTypeKey("")).map((value) => requestTypeFromJson(value)),
    steps: valuesOf(stepKey("")).map((value) => stepFromJson(value)),
    dataSets: valuesOf("/dataSets/").map((value) => dataSetFromJson(value)),
    parties: [],
    usage: [],
  };
}
