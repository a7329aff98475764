import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReadStackOptions, readStack, type Stack, StackError } from "./read-stack.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-stack-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(text: string, options: ReadStackOptions = { environment: {} }): Promise<Stack> {
  const path = join(folder, "stack.yml");
  await writeFile(path, text);
  return readStack(path, options);
}

/** Without the path of the temporary file. */
async function faultsOf(text: string): Promise<string[]> {
  const error = await read(text).then(
    () => new Error("no fault"),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(StackError);
  return (error as Error).message.split("\n").map((line) => line.replace(`${join(folder, "stack.yml")}: `, ""));
}

const minimal = `
version: 1.0
provider:
  name: openfaas
functions:
  echo:
    lang: node18-single-use
    handler: ./functions/echo
    image: echo
`;

describe("a stack file", () => {
  it("gives its functions with every default filled in", async () => {
    expect((await read(minimal)).functions).toEqual([
      {
        name: "echo",
        lang: "node18-single-use",
        handler: "./functions/echo",
        image: "echo:latest",
        environment: {},
        secrets: [],
        labels: {},
        annotations: {},
        constraints: [],
        readonlyRootFilesystem: false,
      },
    ]);
  });

  it("keeps each scalar as text, as faas-cli reads it", async () => {
    const { functions } = await read(
      `${minimal}    environment:\n      a: 010\n      b: true\n      c: 1.50\n      d: ""\n`,
    );
    expect(functions[0]?.environment).toEqual({ a: "010", b: "true", c: "1.50", d: "" });
  });

  it("lets a file of environment_file win over inline values, and a later file over an earlier", async () => {
    await writeFile(join(folder, "one.yml"), "environment:\n  a: one\n  b: one\n");
    await writeFile(join(folder, "two.yml"), "environment:\n  b: two\n  price: ${5}\n");
    const { functions } = await read(
      `${minimal}    environment: {a: inline, c: inline}\n    environment_file: [one.yml, two.yml]\n`,
    );
    expect(functions[0]?.environment).toEqual({ a: "one", b: "two", c: "inline", price: "${5}" });
  });

  it("shares blocks by anchor and merge", async () => {
    const { functions } = await read(
      `${minimal}    environment: &base {a: "1", b: "2"}\n  other:\n    lang: x\n    handler: ./y\n    image: z:1\n    environment: {<<: *base, b: "3"}\n`,
    );
    expect(functions[1]?.environment).toEqual({ a: "1", b: "3" });
  });

  it("does not take a registry's port for a tag", async () => {
    const { functions } = await read(minimal.replace("image: echo", "image: localhost:5000/echo"));
    expect(functions[0]?.image).toBe("localhost:5000/echo:latest");
  });
});

describe("a misspelling is an error that names its path and what was meant:", () => {
  it.each([
    [minimal.replace("provider:", "providr:"), ["provider is missing", "unknown key providr; did you mean provider?"]],
    [
      minimal.replace("handler", "hanlder"),
      ["functions.echo: handler is missing", "functions.echo: unknown key hanlder; did you mean handler?"],
    ],
    [`${minimal}    enviroment: {a: b}\n`, ["functions.echo: unknown key enviroment; did you mean environment?"]],
    [
      `${minimal}    read_only_root_filesystem: true\n`,
      ["functions.echo: unknown key read_only_root_filesystem; did you mean readonly_root_filesystem?"],
    ],
    [`${minimal}    limits: {memroy: 1Gi}\n`, ["functions.echo.limits: unknown key memroy; did you mean memory?"]],
    [
      `${minimal}    annotations: {com.dynamos.partie: UVA}\n`,
      ["functions.echo.annotations: unknown key com.dynamos.partie; did you mean com.dynamos.party?"],
    ],
    [`${minimal}    parallel: 4\n`, ["functions.echo: unknown key parallel"]],
  ])("%#", async (text, faults) => {
    expect((await faultsOf(text)).sort()).toEqual([...faults].sort());
  });
});

describe("a stack file is refused", () => {
  it.each([
    ["another provider", minimal.replace("openfaas", "lambda"), 'provider.name: must be openfaas, not "lambda"'],
    ["another version", minimal.replace("1.0", "2.0"), 'version: must be 1.0, not "2.0"'],
    ["a name in capitals", minimal.replace("  echo:", "  Echo:"), 'functions: "Echo" is not a valid name here'],
    [
      "a handler outside the project",
      minimal.replace("./functions/echo", "../echo"),
      'functions.echo.handler: "../echo" does not have the form of this setting',
    ],
    [
      "a concurrency that is no number",
      `${minimal}    annotations: {com.dynamos.concurrency: many}\n`,
      'functions.echo.annotations["com.dynamos.concurrency"]: "many" does not have the form of this setting',
    ],
    [
      "a quantity that is none",
      `${minimal}    limits: {memory: 1 gig}\n`,
      'functions.echo.limits.memory: "1 gig" does not have the form of this setting',
    ],
    [
      "a map where text stands",
      `${minimal}    environment: {a: {b: c}}\n`,
      "functions.echo.environment.a: must be text",
    ],
    [
      "a switch that is neither true nor false",
      `${minimal}    readonly_root_filesystem: yes\n`,
      'functions.echo.readonly_root_filesystem: must be true or false, not "yes"',
    ],
  ])("for %s", async (_, text, fault) => {
    expect(await faultsOf(text)).toContain(fault);
  });

  it.each([
    ["a key that stands twice", `${minimal}    image: other\n`, /keys must be unique/],
    ["broken YAML", "functions: [", /./],
    ["an unknown form of substitution", "a: ${B:=c}", /^line 1: /],
    ["aliases that multiply", bomb(), /alias/i],
    ["nothing in it", "", /must be a map/],
  ])("for %s", async (_, text, message) => {
    expect((await faultsOf(text))[0]).toMatch(message);
  });

  it("when it is absent, with its path", async () => {
    await expect(readStack(join(folder, "absent.yml"))).rejects.toThrow(/absent\.yml: can't be read \(ENOENT\)/);
  });

  it("when a file of environment_file holds anything else", async () => {
    await writeFile(join(folder, "bad.yml"), "enviroment:\n  a: b\n");
    expect((await faultsOf(`${minimal}    environment_file: [bad.yml]\n`))[0]).toMatch(
      /bad\.yml: must hold the one key environment/,
    );
  });
});

function bomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let index = 1; index < 9; index += 1) {
    lines.push(
      `a${index}: &a${index} [${Array(9)
        .fill(`*a${index - 1}`)
        .join(", ")}]`,
    );
  }
  return lines.join("\n");
}

describe("a filter", () => {
  const two = `${minimal}  uva-sql-query:\n    lang: x\n    handler: ./functions/q\n    image: q\n`;

  it.each([
    ["uva-*", ["uva-sql-query"]],
    ["*", ["echo", "uva-sql-query"]],
    ["*q*", ["uva-sql-query"]],
    ["echo", ["echo"]],
  ])("%s chooses %j", async (filter, names) => {
    const { functions } = await read(two, { environment: {}, filter });
    expect(functions.map(({ name }) => name)).toEqual(names);
  });

  it.each(["ech", "uva.*", "(", "vu-*"])("%s, which fits none, is an error that lists the names", async (filter) => {
    await expect(read(two, { environment: {}, filter })).rejects.toThrow(/there are echo, uva-sql-query/);
  });
});
