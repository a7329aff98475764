import { resolve } from "node:path";
import { Command } from "commander";
import { afterEach, expect, it, vi } from "vitest";
import { addBrokerTlsOptions, type BrokerTlsFlags, environmentOfTls, tlsOf } from "./broker-tls.ts";

afterEach(() => vi.unstubAllEnvs());

function flagsOf(...args: string[]): BrokerTlsFlags {
  return addBrokerTlsOptions(new Command()).parse(args, { from: "user" }).opts();
}

it("asks for no certificates when none is named", () => {
  expect(tlsOf(flagsOf())).toBeUndefined();
  expect(environmentOfTls(undefined)).toEqual({});
});

it("takes an authority alone, or with our own certificate and its key", () => {
  expect(tlsOf(flagsOf("--broker-ca", "ca.pem"))).toEqual({ caFile: resolve("ca.pem") });
  expect(tlsOf(flagsOf("--broker-ca", "ca.pem", "--broker-cert", "c.pem", "--broker-key", "k.pem"))).toEqual({
    caFile: resolve("ca.pem"),
    certFile: resolve("c.pem"),
    keyFile: resolve("k.pem"),
  });
});

it("refuses a certificate without an authority", () => {
  expect(() => tlsOf(flagsOf("--broker-cert", "c.pem", "--broker-key", "k.pem"))).toThrow("need --broker-ca");
});

it("gives a process that it starts what it was given itself", () => {
  const tls = tlsOf(flagsOf("--broker-ca", "ca.pem", "--broker-cert", "c.pem", "--broker-key", "k.pem"));
  for (const [name, value] of Object.entries(environmentOfTls(tls))) vi.stubEnv(name, value);
  expect(tlsOf(flagsOf())).toEqual(tls);
});
