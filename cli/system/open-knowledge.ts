/** The knowledge base that `--knowledge` names, with what the environment says of it. */
import { resolve } from "node:path";
import { parseEtcdAddress } from "#adapters/etcd/address";
import { connectEtcd, type EtcdOptions } from "#adapters/etcd/knowledge";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { systemClock } from "#adapters/system/clock";
import type { Knowledge } from "#ports/knowledge";
import { connectKnowledge } from "#sidecar/remote-knowledge";

/** Files and not values: everybody who can list processes sees an environment's owner, not a file's content. */
const variables = {
  user: "DYNAMOS_KNOWLEDGE_USER",
  password: "DYNAMOS_KNOWLEDGE_PASSWORD_FILE",
  ca: "DYNAMOS_KNOWLEDGE_CA_FILE",
  cert: "DYNAMOS_KNOWLEDGE_CERT_FILE",
  key: "DYNAMOS_KNOWLEDGE_KEY_FILE",
} as const;

export const knowledgeVariablesHelp = [
  "Of an etcd, in the environment:",
  `  ${variables.user}, ${variables.password}   who signs in`,
  `  ${variables.ca}                            PEM of the authority that signed its certificate`,
  `  ${variables.cert}, ${variables.key}  PEM of our own, where it asks for one`,
].join("\n");

export const isEtcd = (address: string) => /^https?:\/\//.test(address);

/**
 * @param address `http(s)://HOST:PORT[/NAMESPACE][,…]` of etcd, `grpc://HOST:PORT` or `unix:///PATH` of a sidecar, or `memory`
 * @throws Error that says what is not as it should be
 */
export function openKnowledge(address: string, environment: NodeJS.ProcessEnv): Knowledge {
  if (address === "memory") return createMemoryKnowledge({ clock: systemClock });
  if (isEtcd(address)) return connectEtcd(etcdOptions(address, environment));
  const plain = address.replace(/^grpc:\/\//, "");
  if (/^unix:\/\/\/./.test(plain) || /^[^/:\s]+:\d+$/.test(plain)) return connectKnowledge(plain);
  throw new Error(`--knowledge ${address}: must be http(s)://HOST:PORT, grpc://HOST:PORT, unix:///PATH or memory`);
}

/** @throws Error, DynamosError INVALID_REQUEST */
export function etcdOptions(address: string, environment: NodeJS.ProcessEnv): EtcdOptions {
  const of = (name: keyof typeof variables) => environment[variables[name]] || undefined;
  const file = (name: keyof typeof variables) => {
    const path = of(name);
    return path === undefined ? undefined : resolve(path);
  };
  const [name, passwordFile] = [of("user"), file("password")];
  if ((name === undefined) !== (passwordFile === undefined)) {
    throw new Error(`${variables.user} and ${variables.password} go together: one of them is not set`);
  }
  return {
    ...parseEtcdAddress(address),
    ...(name === undefined || passwordFile === undefined ? {} : { user: { name, passwordFile } }),
    tls: { caFile: file("ca"), certFile: file("cert"), keyFile: file("key") },
  };
}
