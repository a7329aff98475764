/**
 * What the broker user of each party may do. The one source of the definitions file, of the table
 * in docs/broker.md and of what the tests try. Why a party publishes to an exchange of its own:
 * docs/decisions/0009-a-broker-user-per-party.md.
 */
import { ErrorCode, type Party } from "#contracts";
import { DynamosError } from "#errors";
import { compareNames, sortedNames } from "./by-name.ts";
import {
  cancelTopic,
  deadLetterQueue,
  exchange,
  gatherTopic,
  outletExchange,
  replyTopic,
  stepTopic,
  transferName,
} from "./route.ts";
import type { TopicPattern } from "./topic-pattern.ts";

export interface BrokerRights {
  /** The party in lower case. */
  readonly user: string;
  /** Where it publishes: bound to the exchange of all by the keys of `sends`. */
  readonly outlet: string;
  /** Queues and exchanges that it may declare and delete. */
  readonly declares: readonly TopicPattern[];
  /** Exchanges that it may publish to, and queues that it may bind. */
  readonly writes: readonly TopicPattern[];
  /** Queues that it may consume from, and exchanges that it may bind them to. */
  readonly reads: readonly TopicPattern[];
  /** Keys by which it may bind its queues to the exchange of all. */
  readonly binds: readonly TopicPattern[];
  /** Keys that get through. */
  readonly sends: readonly TopicPattern[];
  /** By which its dead letters leave its outlet for their queue. */
  readonly deadLetterKey: string;
}

type Role = "exchange" | "dataProvider" | "computeProvider";

/** First words of names that are not one party's. */
const taken = new Set(["amq", "control", "dynamos", "reply", "transfer"]);

/** @returns sorted by user. @throws DynamosError INVALID_REQUEST when two parties would be one user, or one would be all */
export function brokerRights(parties: readonly Pick<Party, "name" | "roles">[]): BrokerRights[] {
  checkNames(parties);
  return parties.map((party) => rightsOf(party, parties)).sort((a, b) => compareNames(a.user, b.user));
}

function checkNames(parties: readonly Pick<Party, "name">[]): void {
  const users = new Map<string, string>();
  for (const { name } of parties) {
    const user = name.toLowerCase();
    const twin = users.get(user);
    if (twin !== undefined) throw invalid(`the parties ${twin} and ${name} would have one broker user`);
    if (taken.has(user)) throw invalid(`no party may be named ${name}: names that belong to nobody begin with it`);
    users.set(user, name);
  }
}

function rightsOf(
  party: Pick<Party, "name" | "roles">,
  parties: readonly Pick<Party, "name" | "roles">[],
): BrokerRights {
  const user = party.name.toLowerCase();
  const outlet = outletExchange(user);
  const others = parties.map(({ name }) => name.toLowerCase()).filter((name) => name !== user);
  const having = (role: Role) => parties.filter((one) => has(one, role)).map(({ name }) => name.toLowerCase());
  const [askers, gatherers] = [having("exchange"), having("computeProvider")];
  const providesData = has(party, "dataProvider");
  const runsSteps = providesData || has(party, "computeProvider");

  const own = [{ pattern: `${user}.#` }, { pattern: `reply.${user}.#` }];
  const readers = runsSteps ? sortedNames([user, ...askers, ...(providesData ? gatherers : [])]) : [];
  const transfersOut = readers.map((to) => ({ pattern: transferName(user, to, "*") }));
  const transfersIn = { pattern: transferName("*", user, "*") };
  const parts = providesData ? gatherers.filter((to) => to !== user).map(gatherTopic) : [];
  const replies = askers.filter((to) => to !== user).map((to) => replyTopic(to, "*"));
  // The parts of a gather come from the providers themselves, never from the exchange.
  const starts = others.map((to) => ({ pattern: stepTopic(to, "*"), except: gatherTopic(to) }));

  return {
    user,
    outlet,
    deadLetterKey: deadLetterQueue(user),
    declares: [{ pattern: `${user}.#`, except: outlet }, { pattern: `reply.${user}.#` }, ...transfersOut, transfersIn],
    writes: [...own, ...transfersOut],
    reads: [{ pattern: exchange }, ...own, transfersIn],
    binds: [...own, ...transfersOut, { pattern: cancelTopic }],
    sends: [
      ...own,
      ...[...parts, ...replies].map((pattern) => ({ pattern })),
      ...transfersOut,
      ...(has(party, "exchange") ? [...starts, { pattern: cancelTopic }] : []),
    ],
  };
}

function has({ roles }: Pick<Party, "roles">, role: Role): boolean {
  return roles.some((one) => one.toLowerCase() === role.toLowerCase());
}

function invalid(message: string): DynamosError {
  return new DynamosError(ErrorCode.INVALID_REQUEST, message);
}
