/**
 * What the broker user of each party may do. The one source of the definitions file, of the table
 * in docs/broker.md and of what the tests try. Why each party has two exchanges of its own:
 * docs/decisions/0009-a-broker-user-per-party.md.
 */
import { ErrorCode, type Party } from "#contracts";
import { DynamosError } from "#errors";
import { compareNames, sortedNames } from "./by-name.ts";
import {
  cancelTopic,
  deadLetterQueue,
  gatherTopic,
  inletExchange,
  outletExchange,
  replyTopic,
  stepTopic,
  transferName,
} from "./route.ts";
import type { TopicPattern } from "./topic-pattern.ts";

type NamedParty = Pick<Party, "name" | "roles">;

export interface BrokerRights {
  /** The party in lower case. */
  readonly user: string;
  /** Its queues are bound there, and nobody else's. */
  readonly inlet: string;
  /** Where it publishes. */
  readonly outlet: string;
  /** Queues and exchanges that it may declare and delete. */
  readonly declares: readonly TopicPattern[];
  /** Exchanges that it may publish to, and queues that it may bind. */
  readonly writes: readonly TopicPattern[];
  /** Queues that it may consume from, and exchanges that it may bind them to. */
  readonly reads: readonly TopicPattern[];
  /** Keys that its outlet lets through. */
  readonly sends: readonly Sending[];
  /** By which its dead letters leave its outlet for their queue. */
  readonly deadLetterKey: string;
}

export interface Sending extends TopicPattern {
  /** The user into whose inlet they go. */
  readonly to: string;
}

type Role = "exchange" | "dataProvider" | "computeProvider";

/** First words of names that are not one party's. */
const taken = new Set(["amq", "control", "dynamos", "reply", "transfer"]);

/** @returns sorted by user. @throws DynamosError INVALID_REQUEST when two parties would be one user, or one would be all */
export function brokerRights(parties: readonly NamedParty[]): BrokerRights[] {
  checkNames(parties);
  return parties.map((party) => rightsOf(party, parties)).sort((a, b) => compareNames(a.user, b.user));
}

function checkNames(parties: readonly NamedParty[]): void {
  const users = new Map<string, string>();
  for (const { name } of parties) {
    const user = name.toLowerCase();
    const twin = users.get(user);
    if (twin !== undefined) throw invalid(`the parties ${twin} and ${name} would have one broker user`);
    if (taken.has(user)) throw invalid(`no party may be named ${name}: names that belong to nobody begin with it`);
    users.set(user, name);
  }
}

function rightsOf(party: NamedParty, parties: readonly NamedParty[]): BrokerRights {
  const user = party.name.toLowerCase();
  const [inlet, outlet] = [inletExchange(user), outletExchange(user)];
  const own = [{ pattern: `${user}.#` }, { pattern: `reply.${user}.#` }];
  const transfersOut = readersOf(party, parties).map((to) => ({ pattern: transferName(user, to, "*") }));
  const transfersIn = { pattern: transferName("*", user, "*") };
  const mine = [...own, ...transfersOut];
  return {
    user,
    inlet,
    outlet,
    declares: [{ pattern: `${user}.#`, except: [inlet, outlet] }, ...mine.slice(1), transfersIn],
    writes: mine,
    reads: [...own, transfersIn],
    // Also its own tables: the queue that holds one is bound by who writes it.
    sends: [...mine.map((one) => ({ ...one, to: user })), ...sendsToOthers(party, parties)],
    deadLetterKey: deadLetterQueue(user),
  };
}

/** For whom its tables may be: the next step at home, who computes over them, who asked. */
function readersOf(party: NamedParty, parties: readonly NamedParty[]): string[] {
  if (has(party, "dataProvider")) {
    return sortedNames([
      party.name.toLowerCase(),
      ...having("exchange", parties),
      ...having("computeProvider", parties),
    ]);
  }
  if (has(party, "computeProvider")) return sortedNames([party.name.toLowerCase(), ...having("exchange", parties)]);
  // Answers that wait for their asker.
  return has(party, "exchange") ? [party.name.toLowerCase()] : [];
}

function sendsToOthers(party: NamedParty, parties: readonly NamedParty[]): Sending[] {
  const user = party.name.toLowerCase();
  const others = sortedNames(parties.map(({ name }) => name.toLowerCase())).filter((name) => name !== user);
  const othersHaving = (role: Role) => having(role, parties).filter((name) => name !== user);
  const parts = othersHaving("computeProvider").map((to) => ({ pattern: gatherTopic(to), to }));
  const replies = othersHaving("exchange").map((to) => ({ pattern: replyTopic(to, "*"), to }));
  // The parts of a gather come from the providers themselves, never from the exchange.
  const starts = others.map((to) => ({ pattern: stepTopic(to, "*"), except: [gatherTopic(to)], to }));
  const cancels = [user, ...others].map((to) => ({ pattern: cancelTopic, to }));
  return [
    ...(has(party, "dataProvider") ? parts : []),
    ...replies,
    ...(has(party, "exchange") ? [...starts, ...cancels] : []),
  ];
}

function having(role: Role, parties: readonly NamedParty[]): string[] {
  return sortedNames(parties.filter((one) => has(one, role)).map(({ name }) => name.toLowerCase()));
}

function has({ roles }: NamedParty, role: Role): boolean {
  return roles.some((one) => one.toLowerCase() === role.toLowerCase());
}

function invalid(message: string): DynamosError {
  return new DynamosError(ErrorCode.INVALID_REQUEST, message);
}
