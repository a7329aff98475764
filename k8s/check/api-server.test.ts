/** The manifests before a real Kubernetes API server, where one is: docs/kubernetes.md says how to get it. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ApiServer, startApiServer } from "../../shared/testing/api-server.ts";
import { hasOpenssl } from "../../shared/testing/certificates.ts";
import { etcdIsThere } from "../../shared/testing/etcd.ts";
import { findTool } from "../../shared/testing/find-tool.ts";
import { askAbout, define } from "./admission.ts";
import type { Manifest } from "./manifest.ts";
import { render } from "./render.ts";
import { folders } from "./sets.ts";
import { workloadsOf } from "./workloads.ts";

const home = resolve(import.meta.dirname, "..");
const program = findTool("kube-apiserver");
/** Beside it, of kinds that are not Kubernetes' own: YAML, one a file. */
const definitionsFolder = join(dirname(program ?? ""), "definitions");
const hasPrograms = program !== undefined && hasOpenssl();
if (!hasPrograms) {
  process.stderr.write("SKIPPED: kube-apiserver or openssl is not here, no API server is asked about the manifests\n");
}
const isHere = hasPrograms && etcdIsThere("the API server over it");

const rendered = (folder: string) => render(join(home, folder));

describe.skipIf(!isHere)("a Kubernetes API server", () => {
  let server: ApiServer;
  const unknown = new Set<string>();

  beforeAll(async () => {
    server = await startApiServer(program ?? "");
    await define(server.ask, await readDefinitions());
  }, 240_000);
  afterAll(async () => {
    await server?.stop();
    if (unknown.size > 0) {
      process.stderr.write(
        `SKIPPED: no definitions lie beside kube-apiserver, nobody is asked about ${[...unknown].sort().join(", ")}\n`,
      );
    }
  }, 60_000);

  it.each(folders)(
    "takes each object of %s without a warning, and lets its pods in",
    async (folder) => {
      const manifests = await rendered(folder);
      const verdicts = await askAbout(server.ask, manifests);
      for (const kind of verdicts.unknown) unknown.add(kind);
      expect(verdicts.refused).toEqual([]);
      expect(verdicts.asked + verdicts.unknown.length).toBe(manifests.length + workloadsOf(manifests).length);
    },
    120_000,
  );

  it("refuses a misspelt field, at the top and deep inside", async () => {
    const manifests = await rendered("overlays/party/uva");
    const misspelt = manifests.flatMap((manifest): Manifest[] => {
      if (manifest.kind === "NetworkPolicy")
        return [{ ...manifest, spec: { ...(manifest.spec as object), podSelectr: {} } }];
      if (manifest.kind !== "StatefulSet") return [];
      const text = JSON.stringify(manifest).replace('"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"');
      return [JSON.parse(text)];
    });
    expect(misspelt.length).toBeGreaterThan(1);
    const { refused } = await askAbout(server.ask, misspelt);
    const unseen = misspelt.filter(({ metadata }) => !refused.some((one) => one.includes(`/${metadata.name}: 400 `)));
    expect(unseen).toEqual([]);
  }, 60_000);

  it("lets no privileged container in", async () => {
    const manifests = (await rendered("overlays/party/uva")).map((manifest): Manifest => {
      if (workloadsOf([manifest]).length === 0) return manifest;
      const text = JSON.stringify(manifest).replace('"allowPrivilegeEscalation":false', '"privileged":true');
      return JSON.parse(text);
    });
    expect((await askAbout(server.ask, manifests)).refused).toEqual([
      expect.stringMatching(/^StatefulSet dynamos-uva\/sidecar: warning .*violate PodSecurity.*privileged/),
      expect.stringMatching(/^Pod dynamos-uva\/sidecar: 403 .*violates PodSecurity "restricted.*privileged/),
    ]);
  }, 60_000);
});

async function readDefinitions(): Promise<Manifest[]> {
  const names = await readdir(definitionsFolder).catch(() => []);
  return Promise.all(names.map(async (name) => parse(await readFile(join(definitionsFolder, name), "utf8"))));
}
