/** The options of each command that speaks to a broker over TLS. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { TlsFiles } from "#adapters/amqp/tls";

export interface BrokerTlsFlags {
  readonly brokerCa?: string;
  readonly brokerCert?: string;
  readonly brokerKey?: string;
}

/** Also how a sidecar's process gets them from the one that starts it. */
const variables = { caFile: "DYNAMOS_BROKER_CA", certFile: "DYNAMOS_BROKER_CERT", keyFile: "DYNAMOS_BROKER_KEY" };

export function addBrokerTlsOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--broker-ca <file>", "amqps://: PEM of the authority that signed the broker's certificate").env(
        variables.caFile,
      ),
    )
    .addOption(new Option("--broker-cert <file>", "PEM of our own certificate, if it asks").env(variables.certFile))
    .addOption(new Option("--broker-key <file>", "PEM of its key").env(variables.keyFile));
}

/** @returns undefined when none is given */
export function tlsOf({ brokerCa, brokerCert, brokerKey }: BrokerTlsFlags): TlsFiles | undefined {
  if (brokerCa === undefined) {
    if (brokerCert === undefined && brokerKey === undefined) return undefined;
    throw new Error(
      "--broker-cert and --broker-key need --broker-ca: the authority that signed the broker's certificate",
    );
  }
  return {
    caFile: resolve(brokerCa),
    ...(brokerCert === undefined ? {} : { certFile: resolve(brokerCert) }),
    ...(brokerKey === undefined ? {} : { keyFile: resolve(brokerKey) }),
  };
}

export function environmentOfTls(tls: TlsFiles | undefined): Record<string, string> {
  const given = Object.entries(variables).map(([name, variable]) => [variable, tls?.[name as keyof TlsFiles]]);
  return Object.fromEntries(given.filter(([, file]) => file !== undefined));
}
