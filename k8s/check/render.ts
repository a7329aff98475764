/**
 * What `kubectl kustomize FOLDER` prints, made here: the manifests are checked as they are applied, also where kubectl
 * is not. Of kustomize the part that kustomization.schema.json lists; a test compares with the real one.
 */
import { readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { dataOf, suffixOf } from "./config-map.ts";
import { type Kustomization, type PatchTarget, readKustomization, readManifests, readPatch } from "./kustomization.ts";
import { isObject, type Manifest, titleOf } from "./manifest.ts";
import { patched } from "./patch.ts";
import { labelsMatch, readSelector } from "./selector.ts";

type Changing = { -readonly [Key in keyof Manifest]: Manifest[Key] };

interface Made {
  manifest: Changing;
  /** Its name gets a hash at the end. */
  hashed: boolean;
}

/** @throws Error with the file and what is wrong in it */
export async function render(folder: string): Promise<Manifest[]> {
  const all: Made[] = [];
  await accumulate(folder, "Kustomization", all);
  refuseDoubles(folder, all);
  for (const made of all) if (made.hashed) addSuffix(made.manifest, all);
  return all.map(({ manifest }) => manifest);
}

/** Adds a folder's resources; a component changes also what is there already. */
async function accumulate(folder: string, kind: Kustomization["kind"], all: Made[]): Promise<void> {
  const kustomization = await readKustomization(folder, kind);
  const scope = kind === "Component" ? all : [];
  for (const path of kustomization.resources ?? []) {
    const target = join(folder, path);
    if ((await stat(target)).isDirectory()) await accumulate(target, "Kustomization", scope);
    else for (const manifest of await readManifests(target)) scope.push({ manifest, hashed: false });
  }
  for (const path of kustomization.components ?? []) await accumulate(join(folder, path), "Component", scope);
  await generate(folder, kustomization, scope);
  await applyPatches(folder, kustomization, scope);
  for (const { manifest } of scope) transform(manifest, kustomization);
  if (scope !== all) all.push(...scope);
}

async function generate(folder: string, { configMapGenerator = [] }: Kustomization, all: Made[]): Promise<void> {
  for (const generator of configMapGenerator) {
    const { name, namespace, behavior, options = {} } = generator;
    const data = await dataOf(folder, generator);
    const there = all.find(({ manifest: { kind, metadata } }) => {
      return kind === "ConfigMap" && metadata.name === name && metadata.namespace === namespace;
    });
    if ((there !== undefined) !== (behavior === "merge")) {
      throw new Error(
        `${folder}: ConfigMap ${name} is ${there === undefined ? "not there to be merged" : "there already"}`,
      );
    }
    if (there !== undefined) {
      there.manifest.data = { ...(there.manifest.data as object), ...data };
      continue;
    }
    const metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(options.labels === undefined ? {} : { labels: options.labels }),
    };
    all.push({
      manifest: { apiVersion: "v1", kind: "ConfigMap", metadata, data },
      hashed: options.disableNameSuffixHash !== true,
    });
  }
}

/** A patch that finds nothing is a mistake, though kustomize does not say so. */
async function applyPatches(folder: string, { patches = [] }: Kustomization, all: readonly Made[]): Promise<void> {
  for (const { target, patch, path } of patches) {
    const place = path === undefined ? `${folder}: patch of ${target.kind} ${target.name ?? ""}` : join(folder, path);
    const steps = readPatch(patch ?? (await readFile(place, "utf8")), place);
    const found = all.filter(({ manifest }) => isTarget(manifest, target));
    if (found.length === 0) throw new Error(`${place}: there is no ${target.kind} ${target.name ?? "of these labels"}`);
    for (const { manifest } of found) {
      try {
        patched(manifest, steps);
      } catch (cause) {
        throw new Error(`${place}: ${titleOf(manifest)}: ${(cause as Error).message}`, { cause });
      }
    }
  }
}

function isTarget({ kind, metadata }: Manifest, target: PatchTarget): boolean {
  if (kind !== target.kind || (target.name !== undefined && metadata.name !== target.name)) return false;
  return target.labelSelector === undefined || labelsMatch(readSelector(target.labelSelector), metadata.labels);
}

function transform(manifest: Changing, { namespace, replicas = [], images = [] }: Kustomization): void {
  const { metadata } = manifest;
  if (namespace !== undefined) {
    manifest.metadata = manifest.kind === "Namespace" ? { ...metadata, name: namespace } : { ...metadata, namespace };
  }
  const wanted = replicas.find(({ name }) => name === metadata.name);
  if (wanted !== undefined && /^(Deployment|StatefulSet)$/.test(manifest.kind)) {
    manifest.spec = { ...(manifest.spec as object), replicas: wanted.count };
  }
  if (images.length > 0) renameImages(manifest, images);
}

function renameImages(value: unknown, images: NonNullable<Kustomization["images"]>): void {
  if (Array.isArray(value)) for (const item of value) renameImages(item, images);
  if (!isObject(value)) return;
  for (const list of [value.containers, value.initContainers]) {
    for (const container of Array.isArray(list) ? list : []) {
      const image = images.find(({ name }) => container.image === name || container.image?.startsWith(`${name}:`));
      if (image !== undefined) container.image = `${image.newName}:${image.newTag}`;
    }
  }
  for (const child of Object.values(value)) renameImages(child, images);
}

function addSuffix(configMap: Changing, all: readonly Made[]): void {
  const { name, namespace } = configMap.metadata;
  const renamed = `${name}-${suffixOf(configMap.data as Record<string, string>)}`;
  configMap.metadata = { ...configMap.metadata, name: renamed };
  for (const { manifest } of all) {
    if (manifest.metadata.namespace === namespace) renameReferences(manifest, name, renamed);
  }
}

function renameReferences(value: unknown, from: string, to: string): void {
  if (Array.isArray(value)) for (const item of value) renameReferences(item, from, to);
  if (!isObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    const refers = /^(configMap|configMapRef|configMapKeyRef)$/.test(key) && isObject(child) && child.name === from;
    if (refers) child.name = to;
    else renameReferences(child, from, to);
  }
}

function refuseDoubles(folder: string, all: readonly Made[]): void {
  const titles = all.map(({ manifest }) => titleOf(manifest));
  const twice = titles.find((title, index) => titles.indexOf(title) !== index);
  if (twice !== undefined) throw new Error(`${relative(".", folder)}: ${twice} is there twice`);
}
