/**
 * What the etcd user of each party may do. The one source of the commands, of what is applied, and of the table in
 * docs/knowledge.md. Pure.
 */
import { marksOf, rangeOf } from "#adapters/etcd/key-space";
import { ErrorCode, type Party } from "#contracts";
import { compareNames } from "#domain/by-name";
import { keys } from "#domain/knowledge-keys";
import { DynamosError } from "#errors";

export interface EtcdRights {
  /** The party in lower case; its role has the same name. */
  readonly user: string;
  readonly party: string;
  readonly permissions: readonly EtcdPermission[];
}

export interface EtcdPermission {
  readonly kind: "read" | "readwrite";
  /** For people: the keys that begin so. */
  readonly prefix: string;
  readonly from: Buffer;
  readonly to: Buffer;
}

/** An etcd user's or role's. */
const namePattern = /^[a-z0-9][a-z0-9._-]*$/;

/**
 * Everybody reads all: a sidecar decides by every agreement, and records who changed which. A party writes where it says
 * that it is there and how far it has come; the exchange writes documents, jobs and quotas too.
 * @returns sorted by user. @throws DynamosError INVALID_REQUEST when names can't be told apart or are no names for etcd
 */
export function etcdRights(parties: readonly Pick<Party, "name" | "roles">[], namespace: string): EtcdRights[] {
  const rights = parties.map(({ name, roles }): EtcdRights => {
    const user = name.toLowerCase();
    if (!namePattern.test(user) || user === "root") {
      throw new DynamosError(ErrorCode.INVALID_REQUEST, `the party ${name} can't be a user of etcd`);
    }
    const written = roles.includes("exchange") ? [""] : [`${keys.online}${name}/`, `${keys.applied}${name}/`];
    const permissions = [
      ...(written.includes("") ? [] : [permission("read", "", namespace)]),
      ...[...written, marksOf(user)].map((prefix) => permission("readwrite", prefix, namespace)),
    ];
    return { user, party: name, permissions };
  });
  if (new Set(rights.map(({ user }) => user)).size < rights.length) {
    throw new DynamosError(
      ErrorCode.INVALID_REQUEST,
      "two parties would be one user of etcd: names differ in more than case",
    );
  }
  return rights.sort((a, b) => compareNames(a.user, b.user));
}

function permission(kind: EtcdPermission["kind"], prefix: string, namespace: string): EtcdPermission {
  const [from, to] = rangeOf(namespace, prefix);
  return { kind, prefix: prefix === "" ? "all" : prefix, from, to };
}
