/** Secrets as files of a folder, which stands for `/var/openfaas/secrets` of a function's container. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Kubernetes' rule. */
export const secretName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const nameCharsMax = 253;

export interface Secrets {
  names(): Promise<string[]>;
  has(name: string): boolean;
  /** @returns false when there is one of that name */
  create(name: string, value: Uint8Array): Promise<boolean>;
  /** @returns false when there is none of that name */
  update(name: string, value: Uint8Array): Promise<boolean>;
  /** @returns false when there is none of that name */
  remove(name: string): Promise<boolean>;
}

/** @param folder made where it is not there, for this user alone */
export function secretsIn(folder: string): Secrets {
  const isName = (name: string) => secretName.test(name) && name.length <= nameCharsMax;
  const has = (name: string) => isName(name) && existsSync(join(folder, name));
  const write = (name: string, value: Uint8Array, flag: "w" | "wx") =>
    writeFile(join(folder, name), value, { mode: 0o600, flag });
  return {
    names: async () => (existsSync(folder) ? (await readdir(folder)).filter(isName).sort() : []),
    has,
    create: async (name, value) => {
      if (has(name)) return false;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await write(name, value, "wx");
      return true;
    },
    update: async (name, value) => {
      if (!has(name)) return false;
      await write(name, value, "w");
      return true;
    },
    remove: async (name) => {
      if (!has(name)) return false;
      await rm(join(folder, name));
      return true;
    },
  };
}

/** Where there is no folder for them. */
export const noSecrets: Secrets = {
  names: async () => [],
  has: () => false,
  create: async () => {
    throw new RangeError("this gateway keeps no secrets");
  },
  update: async () => false,
  remove: async () => false,
};
