/** What every invoker must do. Runs over memory and over the local gateway with functions as processes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chunk, Envelope, ErrorCode, Outcome } from "#contracts";
import { DynamosError, labelOf } from "#errors";
import type { Invocation, InvokeOptions, Invoker } from "#ports/invoker";

export interface InvokerWorld {
  /** Of the party UVA, with `contractSteps` as functions `uva-<step>`; `uva-slow` has concurrency 7. */
  readonly invoker: Invoker;
  close(): Promise<void>;
}

const inTime = (): InvokeOptions => within(20_000);

function within(ms: number): InvokeOptions {
  return { deadlineMs: Date.now() + ms, signal: new AbortController().signal };
}

/** A call whose table, if there is one, is inside its outcome. */
export function callOf(envelope: Uint8Array): Invocation {
  return { envelope, take: () => Promise.reject(new Error("a chunk that nobody expected")) };
}

export function envelopeFor(step: string, body: Uint8Array = new Uint8Array(), queryId = "q1"): Uint8Array {
  const document = { mediaType: "application/octet-stream", body: Buffer.from(body) };
  const payload = { content: { $case: "result" as const, value: { table: undefined, chart: undefined, document } } };
  const envelope = Envelope.create({ queryId, party: "UVA", step, attempt: 1, deadlineMs: Date.now() + 20_000 });
  return Envelope.encode({ ...envelope, inputs: [{ provider: "UVA", payload, failure: undefined }] }).finish();
}

function transferEnvelope(step: string, inputs: number): Uint8Array {
  const transfer = { name: "", chunks: 1, bytes: 1, sha256: Buffer.alloc(0) };
  const table = { arrowIpc: Buffer.alloc(0), rows: 1, transfer };
  const value = { table, chart: undefined, document: undefined };
  const input = { provider: "UVA", payload: { content: { $case: "result" as const, value } }, failure: undefined };
  const envelope = Envelope.create({ queryId: "q1", party: "UVA", step, attempt: 1, deadlineMs: Date.now() + 20_000 });
  return Envelope.encode({ ...envelope, inputs: Array.from({ length: inputs }, () => input) }).finish();
}

function tableOf(outcome: Uint8Array) {
  const { decision } = Outcome.decode(outcome);
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" ? content.value.table : undefined;
}

function documentOf(outcome: Uint8Array): Uint8Array | undefined {
  const { decision } = Outcome.decode(outcome);
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" ? content.value.document?.body : undefined;
}

export function invokerContract(openWorld: () => Promise<InvokerWorld>): void {
  let world: InvokerWorld;
  const invoke = (step: string, options = inTime()) =>
    world.invoker.invoke(`uva-${step}`, callOf(envelopeFor(step)), options);

  beforeAll(async () => {
    world = await openWorld();
  });

  afterAll(() => world?.close());

  it("lists each function with its topic and concurrency", async () => {
    const steps = await world.invoker.steps();
    expect(steps).toContainEqual({ name: "uva-slow", topic: "uva.slow", concurrency: 7 });
    expect(steps).toContainEqual({ name: "uva-echo", topic: "uva.echo", concurrency: 4 });
    expect(steps.map(({ topic }) => topic.split(".")[0])).not.toContain("vu");
  });

  it.each([0, 1, 70_000, 5_000_000])("brings %i bytes there and back unchanged", async (size) => {
    const body = Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
    const outcome = await world.invoker.invoke("uva-echo", callOf(envelopeFor("echo", body)), inTime());
    expect(Buffer.compare(documentOf(outcome) ?? Buffer.from("absent"), body)).toBe(0);
  });

  it("tells which build answers, the same for the same function", async () => {
    const builds: string[] = [];
    for (const step of ["echo", "echo", "refusing"]) {
      const call = { ...callOf(envelopeFor(step)), answeredBy: (build: string) => builds.push(build) };
      await world.invoker.invoke(`uva-${step}`, call, inTime());
    }
    expect(builds).toHaveLength(3);
    expect(new Set(builds.slice(0, 2)).size).toBe(1);
    for (const build of builds) expect(build).toMatch(/^[0-9a-f]{64}$/);
  });

  it("returns a refusal as an outcome", async () => {
    const { decision } = Outcome.decode(await invoke("refusing"));
    expect(decision).toMatchObject({ $case: "refusal", value: { reasons: [{ message: "not in the agreement" }] } });
  });

  it("returns a step's failure as an outcome, by name", async () => {
    const { decision } = Outcome.decode(await invoke("failing"));
    if (decision?.$case !== "failure") throw new Error("not a failure");
    expect(labelOf(decision.value.code)).toBe("UNKNOWN_TABLE");
    expect(decision.value.message).toBe("there is no table Persons");
  });

  it("does not show what a defective step threw", async () => {
    const { decision } = Outcome.decode(await invoke("defective"));
    if (decision?.$case !== "failure") throw new Error("not a failure");
    expect(labelOf(decision.value.code)).toBe("INTERNAL");
    expect(decision.value.message).not.toMatch(/4200|salary/);
  });

  it("runs calls side by side and answers each its own", async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `query-${index}`);
    const outcomes = await Promise.all(
      ids.map((id) => world.invoker.invoke("uva-slow", callOf(envelopeFor("slow", undefined, id)), inTime())),
    );
    expect(outcomes.map((outcome) => Buffer.from(documentOf(outcome) ?? []).toString())).toEqual(ids);
  });

  describe("with tables too large for envelope and outcome", () => {
    const bytesOf = (size: number, seed: number) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => i * seed));
    const chunksOf = async function* (...chunks: Chunk[]) {
      yield* chunks;
    };

    it("brings every chunk there and back, in order", async () => {
      const sent = Array.from({ length: 200 }, (_, i) => ({ input: i < 120 ? 0 : 1, body: bytesOf(50_000 + i, i) }));
      const got: Uint8Array[] = [];
      const envelope = transferEnvelope("passing", 2);
      const outcome = await world.invoker.invoke(
        "uva-passing",
        { envelope, chunks: chunksOf(...sent), take: async (bytes) => void got.push(Buffer.from(bytes)) },
        inTime(),
      );
      const whole = Buffer.concat(sent.map(({ body }) => body));
      expect(Buffer.compare(Buffer.concat(got), whole)).toBe(0);
      expect(tableOf(outcome)).toMatchObject({ rows: whole.length, transfer: { name: "" } });
    });

    it("asks for the next chunk only when there is room for it", async () => {
      let produced = 0;
      const endlessChunks = async function* () {
        for (; produced < 4_000; produced++) yield { input: 0, body: Buffer.alloc(100_000) };
      };
      const controller = new AbortController();
      // A step that reads none of them. What one says while it reads is its function's to keep, and keeps nobody waiting.
      const call = world.invoker.invoke(
        "uva-endless",
        { envelope: transferEnvelope("endless", 1), chunks: endlessChunks(), take: async () => {} },
        { ...inTime(), signal: controller.signal },
      );
      const ended = expect(call).rejects.toMatchObject({ label: "CANCELLED" });
      await new Promise((resume) => setTimeout(resume, 700));
      expect(produced).toBeLessThan(400);
      controller.abort();
      await ended;
    });

    it("fails with what the chunks fail with", async () => {
      const broken = async function* (): AsyncGenerator<Chunk> {
        yield { input: 0, body: Buffer.from("first") };
        throw new DynamosError(ErrorCode.TRANSFER_LOST, "there is no transfer x");
      };
      const invocation = { envelope: transferEnvelope("passing", 1), chunks: broken(), take: async () => {} };
      const call = world.invoker.invoke("uva-passing", invocation, inTime());
      await expect(call).rejects.toMatchObject({ label: "TRANSFER_LOST" });
    });

    it("fails with what their taker fails with", async () => {
      const take = () => Promise.reject(new DynamosError(ErrorCode.DENIED, "may not leave"));
      const chunks = chunksOf({ input: 0, body: Buffer.from("first") });
      const call = world.invoker.invoke(
        "uva-passing",
        { envelope: transferEnvelope("passing", 1), chunks, take },
        inTime(),
      );
      await expect(call).rejects.toMatchObject({ label: "DENIED" });
    });

    it("tells of a step that fails when its first bytes have left", async () => {
      const got: Uint8Array[] = [];
      const take = async (bytes: Uint8Array) => void got.push(bytes);
      const outcome = await world.invoker.invoke("uva-breaking", { envelope: envelopeFor("breaking"), take }, inTime());
      const { decision } = Outcome.decode(outcome);
      expect(decision).toMatchObject({ $case: "failure", value: { message: "row 7 is not readable" } });
      expect(Buffer.concat(got)).toHaveLength(100_000);
    });
  });

  describe("gives up", () => {
    it("with FUNCTION_UNAVAILABLE and the name when there is no such function", async () => {
      const error = { label: "FUNCTION_UNAVAILABLE", message: "function uva-absent is not deployed" };
      await expect(invoke("absent")).rejects.toMatchObject(error);
    });

    it.each(["../uva-echo", "uva-echo/../../system/functions", "uva-echo?x=1", ".", "..", "", "\r\nx: y"])(
      "with FUNCTION_UNAVAILABLE for the hostile name %j",
      async (name) => {
        const call = world.invoker.invoke(name, callOf(envelopeFor("echo")), inTime());
        await expect(call).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
      },
    );

    it("with DEADLINE_EXCEEDED when the deadline passes", async () => {
      const call = invoke("endless", within(150));
      await expect(call).rejects.toMatchObject({ label: "DEADLINE_EXCEEDED" });
    });

    it("with DEADLINE_EXCEEDED when the deadline has passed already", async () => {
      const call = invoke("echo", within(-1));
      await expect(call).rejects.toMatchObject({ label: "DEADLINE_EXCEEDED" });
    });

    it("with CANCELLED when the signal fires, and before it begins when it has fired", async () => {
      const controller = new AbortController();
      const call = invoke("endless", { ...inTime(), signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      await expect(call).rejects.toMatchObject({ label: "CANCELLED" });
      await expect(invoke("echo", { ...inTime(), signal: controller.signal })).rejects.toMatchObject({
        label: "CANCELLED",
      });
    });
  });
}
