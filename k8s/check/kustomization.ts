/** Reads one folder's kustomization.yaml, strictly. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { schemaCheck } from "./json-schema.ts";
import { isObject, type Manifest } from "./manifest.ts";
import type { PatchStep } from "./patch.ts";

export interface Generator {
  readonly name: string;
  readonly namespace?: string;
  readonly behavior?: "merge";
  readonly literals?: readonly string[];
  /** File names; each is a key too. */
  readonly files?: readonly string[];
  readonly options?: {
    readonly disableNameSuffixHash?: boolean;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface PatchTarget {
  readonly kind: string;
  readonly name?: string;
  readonly labelSelector?: string;
}

export interface Kustomization {
  readonly kind: "Kustomization" | "Component";
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly Generator[];
  readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  readonly replicas?: readonly { readonly name: string; readonly count: number }[];
  readonly patches?: readonly { readonly target: PatchTarget; readonly patch?: string; readonly path?: string }[];
}

const faultsOf = await schemaCheck("kustomization.schema.json");
const patchFaultsOf = await schemaCheck("patch.schema.json");

/** @throws Error naming the file: it is not there, or not what the schema says */
export async function readKustomization(folder: string, kind: Kustomization["kind"]): Promise<Kustomization> {
  const file = join(folder, "kustomization.yaml");
  const document: unknown = parse(await readFile(file, "utf8"));
  refuse(file, faultsOf(document));
  const kustomization = document as Kustomization;
  const version = kind === "Component" ? "v1alpha1" : "v1beta1";
  if (kustomization.kind !== kind) refuse(file, [`/kind must be ${kind} where it is used`]);
  if (!(document as Manifest).apiVersion.endsWith(`/${version}`))
    refuse(file, [`/apiVersion of a ${kind} is ${version}`]);
  return kustomization;
}

/** @throws Error naming the file */
export async function readManifests(file: string): Promise<Manifest[]> {
  const documents = parseAllDocuments(await readFile(file, "utf8"), { uniqueKeys: true });
  return [...documents].map((document, index) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`${file}: ${error.message}`);
    const value: unknown = document.toJS();
    const named = isObject(value) && isObject(value.metadata) && typeof value.metadata.name === "string";
    if (!named || typeof value.kind !== "string" || typeof value.apiVersion !== "string") {
      throw new Error(`${file}: document ${index + 1} needs apiVersion, kind and metadata.name`);
    }
    return value as unknown as Manifest;
  });
}

/** @throws Error naming the place */
export function readPatch(text: string, place: string): PatchStep[] {
  const steps: unknown = parse(text);
  refuse(place, patchFaultsOf(steps));
  return steps as PatchStep[];
}

function refuse(file: string, faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.map((fault) => `${file}: ${fault}`).join("\n"));
}
