/** A RabbitMQ definitions file for a vhost of ours: users, permissions, exchanges and what binds them. Pure. */
import type { Party } from "#contracts";
import { type BrokerRights, brokerRights, type Sending } from "#domain/broker-permissions";
import { inletExchange } from "#domain/route";
import { regularExpressionOf } from "#domain/topic-pattern";
import { hashingAlgorithm } from "./password-hash.ts";

/** As `rabbitmqctl import_definitions` takes it from 3.10 to 4.x. Queues are not in it: the sidecars declare theirs. */
export interface Definitions {
  readonly vhosts: readonly { readonly name: string }[];
  readonly users: readonly UserDefinition[];
  readonly permissions: readonly PermissionDefinition[];
  readonly topic_permissions: readonly TopicPermissionDefinition[];
  readonly exchanges: readonly ExchangeDefinition[];
  readonly bindings: readonly BindingDefinition[];
}

interface UserDefinition {
  readonly name: string;
  /** Empty: no password lets this user in. */
  readonly password_hash: string;
  readonly hashing_algorithm: string;
  readonly tags: readonly string[];
}

interface PermissionDefinition {
  readonly user: string;
  readonly vhost: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

interface TopicPermissionDefinition {
  readonly user: string;
  readonly vhost: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

interface ExchangeDefinition {
  readonly name: string;
  readonly vhost: string;
  readonly type: string;
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly internal: boolean;
  readonly arguments: Readonly<Record<string, never>>;
}

interface BindingDefinition {
  readonly source: string;
  readonly vhost: string;
  readonly destination: string;
  readonly destination_type: "exchange";
  readonly routing_key: string;
  readonly arguments: Readonly<Record<string, never>>;
}

export interface DefinitionsInput {
  readonly parties: readonly Pick<Party, "name" | "roles">[];
  readonly vhost: string;
  /** By user; a user without one can't log in with a password until it is given one. */
  readonly passwordHashes: ReadonlyMap<string, string>;
}

/** @throws DynamosError INVALID_REQUEST: names that can't be told apart */
export function definitionsOf({ parties, vhost, passwordHashes }: DefinitionsInput): Definitions {
  const rights = brokerRights(parties);
  return {
    vhosts: [{ name: vhost }],
    users: rights.map(({ user }) => ({
      name: user,
      password_hash: passwordHashes.get(user) ?? "",
      hashing_algorithm: hashingAlgorithm,
      tags: [],
    })),
    permissions: rights.map(({ user, declares, writes, reads }) => ({
      user,
      vhost,
      configure: regularExpressionOf(declares),
      write: regularExpressionOf(writes),
      read: regularExpressionOf(reads),
    })),
    topic_permissions: rights.map((one) => topicPermissionOf(one, vhost)),
    exchanges: rights.flatMap(({ inlet, outlet }) => [inlet, outlet]).map((name) => topicExchange(name, vhost)),
    bindings: rights.flatMap(({ outlet, sends }) => sends.map((sending) => letThrough(outlet, sending, vhost))),
  };
}

/**
 * Of the outlet: what it would not let through anyway is then refused by name. Its inlet needs
 * none, as nothing but the party's own comes there.
 */
function topicPermissionOf(
  { user, outlet, sends, deadLetterKey }: BrokerRights,
  vhost: string,
): TopicPermissionDefinition {
  return {
    user,
    vhost,
    exchange: outlet,
    write: regularExpressionOf(sends),
    read: regularExpressionOf([{ pattern: deadLetterKey }]),
  };
}

function topicExchange(name: string, vhost: string): ExchangeDefinition {
  return { name, vhost, type: "topic", durable: true, auto_delete: false, internal: false, arguments: {} };
}

function letThrough(source: string, { pattern, to }: Sending, vhost: string): BindingDefinition {
  return {
    source,
    vhost,
    destination: inletExchange(to),
    destination_type: "exchange",
    routing_key: pattern,
    arguments: {},
  };
}
