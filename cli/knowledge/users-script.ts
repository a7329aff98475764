/** The same as `apply-users.ts` does, as commands for who has etcdctl and not this one. It reads each password from a file `USER.password`. */
import type { EtcdPermission, EtcdRights } from "./etcd-rights.ts";

export function usersScript(rights: readonly EtcdRights[]): string {
  const lines = rights.flatMap(({ user, party, permissions }) => [
    `# ${party}`,
    `etcdctl role add ${user}`,
    ...permissions.map((one) => `etcdctl role grant-permission ${user} ${words(one)}`),
    `etcdctl user add ${user} --interactive=false < ${user}.password`,
    `etcdctl user grant-role ${user} ${user}`,
  ]);
  return `${lines.join("\n")}\n`;
}

function words({ kind, from, to }: EtcdPermission): string {
  return `${kind} ${quoted(from)} ${quoted(to)}`;
}

/** For bash: what is no plain letter as its byte. */
function quoted(bytes: Buffer): string {
  const text = [...bytes].map((byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return `$'${text.join("")}'`;
}
