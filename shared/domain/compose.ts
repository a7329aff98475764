/** Composition: which steps one party runs for one query, and in which order. */
import { type Archetype, ErrorCode, type Reason, type RequestType, Role, type Step } from "#contracts";
import { usesThirdParty } from "./archetype.ts";
import { sortedNames } from "./by-name.ts";
import { optionOf } from "./options.ts";
import { orderSteps } from "./order-steps.ts";

export interface CompositionQuestion {
  readonly requestType: RequestType;
  /** The catalogue. */
  readonly steps: readonly Step[];
  readonly archetype: Archetype;
  readonly role: Role;
  readonly options: Readonly<Record<string, boolean>>;
  /** What stewards demand for this request type, of whatever label. */
  readonly demandedSteps: readonly string[];
}

export type Composition = { readonly steps: string[]; readonly reasons?: never } | Uncomposable;

export interface Uncomposable {
  readonly reasons: Reason[];
  readonly steps?: never;
}

/** The option that asks for a third party. Where there is one, the union of the tables is what it is there for. */
export const aggregateOption = "aggregate";

/** Where only one label's steps run, others may well be there. */
const bearers: Partial<Record<Role, string>> = {
  [Role.DATA_PROVIDER]: "for a data provider ",
  [Role.COMPUTE_PROVIDER]: "for a compute provider ",
};

/** Those in which a label says where a step runs. */
const labelledRoles = [Role.DATA_PROVIDER, Role.COMPUTE_PROVIDER] as const;

/** @returns the steps in order, or everything that keeps them from being a chain */
export function compose(question: CompositionQuestion): Composition {
  const { requestType, archetype, role, demandedSteps } = question;
  const fixed = new Set([...requestType.requiredSteps, ...demandedSteps]);
  const found = lookUp(sortedNames([...fixed, ...enabledSteps(question)]), question.steps);
  if (found.problems.length > 0) {
    return uncomposable(found.problems);
  }
  const placed = found.steps.filter((step) => runsIn(step, role));
  const invalid = placed.filter((step) => step.invalidArchetypes.includes(archetype.name));
  const blocking = invalid.filter((step) => fixed.has(step.name));
  if (blocking.length > 0) {
    return uncomposable(blocking.map((step) => `${step.name} is needed but invalid in ${archetype.name}`));
  }
  const kept = placed.filter((step) => !invalid.includes(step));
  if (kept.length === 0) {
    return uncomposable([`${requestType.name} has no step ${bearers[role] ?? ""}to run in ${archetype.name}`]);
  }
  const order = orderSteps(kept);
  if (order.problems !== undefined) {
    return uncomposable(order.problems);
  }
  const headless = role === Role.COMPUTE_PROVIDER ? undefined : startProblem(order.steps[0] ?? "", question);
  return headless === undefined ? { steps: order.steps } : uncomposable([headless]);
}

/** A provider's chain starts from nothing; a step that others of the catalogue hand on to would wait for their rows. */
function startProblem(first: string, { steps, requestType }: CompositionQuestion): string | undefined {
  const before = steps.filter(({ allowedOutputs }) => allowedOutputs.includes(first)).map(({ name }) => name);
  return before.length === 0
    ? undefined
    : `${requestType.name} begins with ${first}, which works on what ${sortedNames(before).join(" or ")} hands on`;
}

/** What keeps a provider's table from being handed to the chain that gathers it. */
export function linkProblem(
  providerSteps: readonly string[],
  gatherSteps: readonly string[],
  steps: readonly Step[],
): Reason | undefined {
  const last = providerSteps.at(-1) ?? "";
  const first = gatherSteps[0] ?? "";
  const allowed = steps.find((step) => step.name === last)?.allowedOutputs ?? [];
  return allowed.includes(first) ? undefined : compositionReason(`${last} may not hand on to ${first}`);
}

export function compositionReason(message: string): Reason {
  return { code: ErrorCode.COMPOSITION_INVALID, clause: "", message };
}

function uncomposable(messages: readonly string[]): Uncomposable {
  return { reasons: messages.map(compositionReason) };
}

function lookUp(names: readonly string[], catalogue: readonly Step[]): { steps: Step[]; problems: string[] } {
  const byName = new Map(catalogue.map((step) => [step.name, step]));
  const unknown = names.filter((name) => !byName.has(name)).map((name) => `there is no step named ${name}`);
  const steps = names.flatMap((name) => byName.get(name) ?? []);
  const placeless = steps
    .filter((step) => !labelledRoles.some((role) => runsIn(step, role)))
    .map((step) => `${step.name} has a label that no party bears: ${step.label || "none"}`);
  return { steps, problems: [...unknown, ...placeless] };
}

function enabledSteps({ requestType, archetype, options }: CompositionQuestion): string[] {
  return Object.entries(requestType.optionalSteps).flatMap(([step, flag]) => {
    const enabled =
      flag.toLowerCase() === aggregateOption ? usesThirdParty(archetype) : optionOf(options, flag) === true;
    return enabled ? [step] : [];
  });
}

/** A label is a role's name in JSON; the original writes labels in two spellings. */
function runsIn(step: Step, role: Role): boolean {
  const label = step.label.toLowerCase();
  switch (role) {
    case Role.ALL:
      return true;
    case Role.DATA_PROVIDER:
      return label === "dataprovider";
    case Role.COMPUTE_PROVIDER:
      return label === "computeprovider";
    default:
      return false;
  }
}
