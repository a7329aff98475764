/** Makes an etcd's users and roles what the parties are to have: what is there already is brought up to date. */
import { EtcdClient, type EtcdClientOptions } from "#adapters/etcd/client";
import { EtcdRefusal } from "#adapters/etcd/refusal";
import type { EtcdPermission, EtcdRights } from "./etcd-rights.ts";

export interface AppliedUsers {
  readonly made: readonly string[];
  /** They were there: they have the given passwords and rights now. */
  readonly changed: readonly string[];
}

interface Role {
  readonly perm?: readonly { readonly key?: string; readonly range_end?: string; readonly permType?: string }[];
}

/**
 * @param options of root, or without a user as long as etcd's authentication is off
 * @throws DynamosError, EtcdRefusal; run again it goes on
 */
export async function applyUsers(
  options: EtcdClientOptions,
  rights: readonly EtcdRights[],
  passwords: ReadonlyMap<string, string>,
): Promise<AppliedUsers> {
  const client = new EtcdClient(options);
  const made: string[] = [];
  const changed: string[] = [];
  try {
    for (const one of rights) {
      await applyRole(client, one.user, one.permissions);
      (await applyUser(client, one.user, passwords.get(one.user) ?? "")) ? made.push(one.user) : changed.push(one.user);
    }
    return { made, changed };
  } finally {
    client.close();
  }
}

/** @returns whether it is new */
async function applyUser(client: EtcdClient, name: string, password: string): Promise<boolean> {
  const isNew = await unless(/already exists/, client.call("/v3/auth/user/add", { name, password }));
  if (!isNew) await client.call("/v3/auth/user/changepw", { name, password });
  await client.call("/v3/auth/user/grant", { user: name, role: name });
  return isNew;
}

async function applyRole(client: EtcdClient, name: string, permissions: readonly EtcdPermission[]): Promise<void> {
  await unless(/already exists/, client.call("/v3/auth/role/add", { name }));
  for (const one of permissions) {
    const perm = { permType: one.kind.toUpperCase(), key: base64(one.from), range_end: base64(one.to) };
    await client.call("/v3/auth/role/grant", { name, perm });
  }
  const wanted = new Set(permissions.map(({ from, to }) => `${base64(from)} ${base64(to)}`));
  const { perm = [] } = await client.call<Role & { header?: object }>("/v3/auth/role/get", { role: name });
  for (const { key = "", range_end = "" } of perm) {
    if (!wanted.has(`${key} ${range_end}`)) await client.call("/v3/auth/role/revoke", { role: name, key, range_end });
  }
}

/** @returns false when etcd said that */
async function unless(says: RegExp, call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof EtcdRefusal && error.cause instanceof Error && says.test(error.cause.message)) return false;
    throw error;
  }
}

const base64 = (bytes: Buffer) => bytes.toString("base64");
