/**
 * Whether a message's plan is covered by the approvals that it carries, as far as the message alone tells:
 * before a hop, and at the last look before something leaves a party. A plan is not signed, so everything
 * in it that decides who gets to see rows is held against terms that are.
 */
import { type Envelope, Role, type Terms } from "#contracts";

/** @returns why it may not run or leave, or undefined when it may */
export function mayLeave(envelope: Envelope): string | undefined {
  const { chain, party, step, hop, inputs } = envelope;
  if (chain === undefined || chain.id === "") {
    return "a chain of control steps has no data to hand out";
  }
  const isPart = envelope.gather !== undefined && hop === chain.steps.length;
  if (chain.party !== party || (chain.steps[hop] !== step && !isPart)) {
    return `${step} of ${party} is not hop ${hop} of the chain of ${chain.party}`;
  }
  const stranger = inputs.find(({ provider }) => provider !== "" && !chain.providers.includes(provider));
  if (stranger !== undefined) {
    return `what is of ${stranger.provider} is not for the chain of ${party}`;
  }
  return chain.role === Role.COMPUTE_PROVIDER ? computingProblem(envelope) : providingProblem(envelope);
}

/** At a compute provider each of the providers must allow it. */
function computingProblem({ chain, party, gather, approvals, queryId }: Envelope): string | undefined {
  const providers = chain?.providers ?? [];
  if (providers.length === 0 || gather !== undefined) {
    return `the chain of ${party} does not gather`;
  }
  for (const provider of providers) {
    const terms = termsOf(provider, { approvals, queryId });
    const problem = uncovered(provider, terms, { archetype: chain?.archetype ?? "", computeProvider: party });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A provider's chain is of its own data, and its table goes where its role says. */
function providingProblem({ chain, party, gather, approvals, queryId }: Envelope): string | undefined {
  const { id = "", role, providers = [], archetype = "", gatherAt = "" } = chain ?? {};
  const terms = termsOf(party, { approvals, queryId });
  const problem = uncovered(party, terms, { archetype, computeProvider: gather?.party });
  if (problem !== undefined) return problem;
  if (id !== party || providers.length !== 1 || providers[0] !== party) {
    return `the chain ${id} of ${party} is not of its own data alone`;
  }
  const staysAtHome = role === Role.ALL && gather === undefined && gatherAt === "";
  const isGathered =
    role === Role.DATA_PROVIDER &&
    gather?.id === gatherAt &&
    gather.role === Role.COMPUTE_PROVIDER &&
    gather.archetype === archetype &&
    gather.providers.includes(party);
  return staysAtHome || isGathered ? undefined : `the chain of ${party} ends neither at home nor at its gather`;
}

function termsOf(provider: string, { approvals, queryId }: Pick<Envelope, "approvals" | "queryId">): Terms | undefined {
  return approvals.find((approval) => approval.provider === provider && approval.queryId === queryId)?.terms;
}

function uncovered(
  provider: string,
  terms: Terms | undefined,
  { archetype, computeProvider }: { archetype: string; computeProvider: string | undefined },
): string | undefined {
  if (terms === undefined) {
    return `no approval of ${provider} for this query`;
  }
  if (!terms.archetypes.includes(archetype)) {
    return `${provider} does not allow ${archetype}`;
  }
  return computeProvider === undefined || terms.computeProviders.includes(computeProvider)
    ? undefined
    : `${provider} does not allow ${computeProvider} as a compute provider`;
}
