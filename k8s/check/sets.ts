/** What is applied to one cluster together, as docs/kubernetes.md says. */
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";
import { render } from "./render.ts";

/** Below k8s/, by what a reader calls it. */
export const sets: Readonly<Record<string, readonly string[]>> = {
  "single-node": ["overlays/single-node", "monitoring"],
  exchange: ["overlays/exchange", "monitoring"],
  "party UVA": ["overlays/party/uva", "openfaas", "monitoring"],
  "party VU": ["overlays/party/vu", "openfaas", "monitoring"],
  "party SURF": ["overlays/party/surf", "openfaas", "monitoring"],
  plain: ["overlays/plain", "monitoring"],
};

/** Each of these is what `kubectl apply -k` is given somewhere. */
export const folders: readonly string[] = [
  ...new Set([
    ...Object.values(sets).flat(),
    ...["exchange", "uva", "vu", "surf"].map((one) => `overlays/plain/${one}`),
  ]),
].sort();

/** @param home k8s/ */
export async function renderSet(home: string, set: string): Promise<Manifest[]> {
  const rendered = await Promise.all((sets[set] ?? []).map((folder) => render(join(home, folder))));
  return rendered.flat();
}
