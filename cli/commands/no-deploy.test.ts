import { afterEach, expect, it } from "vitest";
import { type SystemFlags, startFromFlags } from "./system-options.ts";

const before = process.env.OPENFAAS_PASSWORD;
afterEach(() => {
  if (before === undefined) delete process.env.OPENFAAS_PASSWORD;
  else process.env.OPENFAAS_PASSWORD = before;
});

const start = (flags: Partial<SystemFlags>) =>
  startFromFlags({ port: "0", broker: "memory", logLevel: "error", deploy: false, ...flags } as SystemFlags, () => {});

it("dynamos up --no-deploy wants a password, and a folder for the keys", async () => {
  delete process.env.OPENFAAS_PASSWORD;
  await expect(start({ keys: "keys" })).rejects.toThrow("--no-deploy needs a password in OPENFAAS_PASSWORD");
  process.env.OPENFAAS_PASSWORD = "";
  await expect(start({ keys: "keys" })).rejects.toThrow("--no-deploy needs a password in OPENFAAS_PASSWORD");
  process.env.OPENFAAS_PASSWORD = "secret";
  await expect(start({})).rejects.toThrow("--no-deploy needs --keys DIR");
});
