/** A party's audit record on this machine's disk: where it lies, and the key that signs it. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openRecordKey, writePublicKey } from "#adapters/file/record-key-file";
import { openFileRecords } from "#adapters/file/records";
import { systemClock } from "#adapters/system/clock";
import type { Log } from "#ports/log";
import type { Records } from "#ports/records";
import { buildDigest } from "#runtime/build-digest";
import { sourceDigest } from "../build/source-digest.ts";
import { bundleFile } from "../image/bundle-file.ts";
import { home } from "../stack/parties.ts";

export interface RecordFiles {
  /** Holds a folder for each party. */
  readonly folder: string;
  /** Private key in PEM, made where there is none; absent: in the party's folder. */
  readonly keyFile?: string | undefined;
}

export interface PartyRecordsOptions extends RecordFiles {
  readonly party: string;
  readonly instance: string;
  readonly log: Log;
}

/** Beside the record, for whoever is to verify it. */
export const publicKeyName = "record-key.jwk.json";

/** @throws Error, DynamosError RECORD_UNAVAILABLE with a sentence: the key can't be read, or the record not be written */
export async function openPartyRecords(options: PartyRecordsOptions): Promise<Records> {
  const { party, instance, log } = options;
  const folder = partyFolder(options.folder, party);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = await openRecordKey(options.keyFile ?? join(folder, "record-key.pem"));
  await writePublicKey(join(folder, publicKeyName), party, key);
  return openFileRecords({ folder, party, instance, key, clock: systemClock, log });
}

/** A party's name is no path. */
export function partyFolder(folder: string, party: string): string {
  return join(folder, encodeURIComponent(party).replace(/^\./, "%2E"));
}

let digest: Promise<string> | undefined;

/** Of the sidecar's code, and of the command that runs it. */
export function sidecarBuild(): Promise<string> {
  digest ??=
    bundleFile === undefined ? sourceDigest(home, ["shared", "cli"]) : Promise.resolve(buildDigest([bundleFile]));
  return digest;
}
