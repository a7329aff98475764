/** The project's own stack.yml. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { stepTopic } from "#domain/route";
import { flagsOf, partsOf } from "./parts.ts";
import { readStack, type Stack } from "./read-stack.ts";

const root = new URL("../../", import.meta.url).pathname;
let stack: Stack;

beforeAll(async () => {
  stack = await readStack(`${root}stack.yml`, { environment: {} });
});

describe("stack.yml", () => {
  it("tells the exchange, whose functions have no prefix, how to deploy its part", async () => {
    const exchange = partsOf(stack).find(({ party }) => party === "exchange");
    expect(await readFile(`${root}stack.yml`, "utf8")).toContain(
      `faas-cli deploy ${flagsOf(exchange?.selection ?? {})}`,
    );
  });

  it("stays within the 15 functions of OpenFaaS's Community Edition", () => {
    expect(stack.functions.length).toBe(15);
  });

  it("deploys every function that there is", async () => {
    const folders = await readdir(`${root}functions`, { withFileTypes: true });
    const there = folders.filter((entry) => entry.isDirectory()).map(({ name }) => `./functions/${name}`);
    expect([...new Set(stack.functions.map(({ handler }) => handler))].sort()).toEqual(there.sort());
  });

  it("gives each step the topic of its party and the name of both", () => {
    const steps = stack.functions.filter(({ annotations }) => annotations.topic !== undefined);
    for (const { name, handler, annotations } of steps) {
      const party = annotations["com.dynamos.party"] ?? "";
      const step = handler.replace("./functions/", "");
      expect(annotations.topic).toBe(stepTopic(party, step));
      expect(name).toBe(party === "exchange" ? step : `${party.toLowerCase()}-${step}`);
    }
    expect(new Set(steps.map(({ annotations }) => annotations.topic)).size).toBe(14);
  });

  it("tells the sidecar and the function the same concurrency", () => {
    for (const { annotations, environment } of stack.functions) {
      expect(environment.concurrency).toBe(annotations["com.dynamos.concurrency"]);
    }
  });

  it("gives every data step the memory that its processes may take", () => {
    const dataSteps = stack.functions.filter(({ environment }) => environment.pool_size !== undefined);
    expect(dataSteps.length).toBe(12);
    for (const { environment, limits } of dataSteps) {
      const processes = Number(environment.pool_size) + Number(environment.concurrency);
      const gibibytes = Number(/^(\d+)Gi$/.exec(limits?.memory ?? "")?.[1]);
      expect(processes * Number(environment.memory_mb)).toBeLessThanOrEqual(gibibytes * 1024);
    }
  });

  it("lets no function write to its root file system", () => {
    expect(stack.functions.filter(({ readonlyRootFilesystem }) => !readonlyRootFilesystem)).toEqual([]);
  });

  it("takes registry and tag of the images from the environment", async () => {
    const environment = { REGISTRY: "images.example.org/me/", TAG: "v2" };
    const { functions } = await readStack(`${root}stack.yml`, { environment, filter: "vu-sql-query" });
    expect(functions[0]?.image).toBe("images.example.org/me/dynamos-sql-query:v2");
    expect(stack.functions[0]?.image).toBe("dynamos-orchestrator:latest");
  });

  it("has functions as its last block, since faas-cli new --append adds to the end", async () => {
    const keys = Object.keys(parse(await readFile(`${root}stack.yml`, "utf8")));
    expect(keys.at(-1)).toBe("functions");
    expect(keys).toContain("configuration");
  });

  it("finds its templates under the name that faas-cli looks for", async () => {
    expect(await readlink(`${root}template`)).toBe("templates");
  });
});
