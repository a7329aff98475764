/** The gateway passes a request on only until its answer begins, as OpenFaaS' does; tables pass all the same. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { halfDuplexContract } from "#testing/half-duplex/contract";
import { passOnStep } from "#testing/passed-table";
import { bundleFunction } from "../build/bundle-function.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

const passOn = {
  name: "pass-on",
  lang: "node18-single-use",
  handler: "./functions/pass-on",
  image: "pass-on:latest",
  environment: { pool_size: "2" },
  secrets: [],
  labels: {},
  annotations: {},
  constraints: [],
  readonlyRootFilesystem: true,
};

let buildDir: string;
let gateway: Gateway;

beforeAll(async () => {
  buildDir = await mkdtemp(join(tmpdir(), "dynamos-half-duplex-"));
  await bundleFunction(resolve(import.meta.dirname, "../..", passOnStep), join(buildDir, "pass-on"));
  gateway = await startGateway({
    stack: { path: "stack.yml", functions: [passOn], copy: [] },
    buildDir,
    port: 0,
    environmentFor: () => ({ PATH: process.env.PATH ?? "" }),
    log: createMemoryLog(),
  });
}, 60_000);
afterAll(async () => {
  await gateway?.stop();
  await rm(buildDir, { recursive: true, force: true });
});

describe("through the local gateway", () => halfDuplexContract(() => `${gateway.url}/function/pass-on`));
