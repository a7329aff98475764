/** ConfigMaps that programs read as a whole, and limits that belong together. */
import { listedFunctions } from "#adapters/openfaas/listed-functions";
import { isObject, type Manifest, titleOf } from "./manifest.ts";

export function settingFaults(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => faultsIn(manifest).map((fault) => `${titleOf(manifest)}: ${fault}`));
}

function faultsIn(manifest: Manifest): string[] {
  if (manifest.kind === "HorizontalPodAutoscaler") {
    const { minReplicas = 1, maxReplicas } = manifest.spec as { minReplicas?: number; maxReplicas: number };
    return minReplicas > maxReplicas ? ["spec.minReplicas is over spec.maxReplicas"] : [];
  }
  if (manifest.kind !== "ConfigMap" || !isObject(manifest.data)) return [];
  const { PARTY: party, KNOWLEDGE_USER: user, "functions.json": functions } = manifest.data;
  return [
    ...(party === undefined ? [] : partyFaults(String(party), String(user), manifest.metadata.namespace ?? "")),
    ...(functions === undefined ? [] : functionFaults(String(functions))),
  ];
}

/** A copied overlay that was changed in one place and not in the other would join as somebody else. */
function partyFaults(party: string, user: string, namespace: string): string[] {
  const lower = party.toLowerCase();
  const expected = lower === "exchange" ? "dynamos" : `dynamos-${lower}`;
  return [
    ...(namespace === expected ? [] : [`the namespace of ${party} is ${expected}`]),
    ...(user === lower ? [] : [`KNOWLEDGE_USER of ${party} is ${lower}`]),
  ];
}

function functionFaults(text: string): string[] {
  try {
    listedFunctions(text, "functions.json");
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
