/** Where `faas-cli login` keeps who somebody is at which gateway: `config.yml` of ~/.openfaas, or of OPENFAAS_CONFIG. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";

interface AuthFile {
  readonly auths?: readonly AuthEntry[];
}

interface AuthEntry {
  readonly gateway: string;
  readonly auth: string;
  /** `user:password` in base64 where `auth` is `basic`. */
  readonly token: string;
}

function folder(): string {
  const inCi = process.env.CI === "true" || process.env.CI === "1";
  return process.env.OPENFAAS_CONFIG || (inCi ? ".openfaas" : join(homedir(), ".openfaas"));
}

function entries(): readonly AuthEntry[] {
  const file = join(folder(), "config.yml");
  return existsSync(file) ? ((parse(readFileSync(file, "utf8")) as AuthFile | null)?.auths ?? []) : [];
}

export function saveLogin(gateway: string, user: string, password: string): void {
  const token = Buffer.from(`${user}:${password}`).toString("base64");
  const auths = [...entries().filter((one) => one.gateway !== gateway), { gateway, auth: "basic", token }];
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder(), "config.yml"), stringify({ auths }), { mode: 0o600 });
}

/** Without a login faas-cli sends a bearer token that is empty. */
export function authorizationFor(gateway: string, token: string): string {
  const entry = entries().find((one) => one.gateway === gateway);
  if (entry?.auth === "basic") return `Basic ${entry.token}`;
  return `Bearer ${token || (entry?.token ?? "")}`;
}
