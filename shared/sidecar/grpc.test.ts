import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Chain, Envelope } from "#contracts";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import { connectSidecar, type SidecarApi } from "./client.ts";
import { type GrpcServer, serveSidecar } from "./grpc-server.ts";
import type { Sidecar } from "./start-sidecar.ts";

let folder: string;
let world: World;
let server: GrpcServer;
let api: SidecarApi;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-grpc-"));
  world = await openWorld({ documents: demoDocuments, steps: { exchange: [policyEnforcer, archetypeSelector] } });
  server = await serveSidecar(world.sidecars.get("exchange") as Sidecar, `unix://${join(folder, "sidecar.sock")}`);
  api = connectSidecar(server.address);
});

afterEach(async () => {
  api.close();
  await server.stop();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const never = new AbortController().signal;

const request = (deadlineMs: number, providers = ["NOPE"]) =>
  Envelope.fromPartial({
    queryId: "q1",
    party: "exchange",
    step: "policy-enforcer",
    attempt: 1,
    deadlineMs,
    chain: Chain.fromPartial({ party: "exchange", steps: ["policy-enforcer", "archetype-selector"] }),
    query: {
      id: "q1",
      requestType: "sqlDataRequest",
      user: { name: "researcher@example.org" },
      providers,
      sql: "SELECT 1",
    },
    inputs: [{ provider: "" }],
  });

describe("dynamos.v1.Sidecar over a Unix socket", () => {
  it("streams the replies of a request", async () => {
    for await (const reply of api.request(request(Date.now() + 5_000), never)) {
      expect(reply.content).toMatchObject({
        $case: "refusal",
        value: { reasons: [{ message: expect.stringContaining("NOPE") }] },
      });
      return;
    }
    expect.unreachable("the stream ended without a reply");
  });

  it("ends the stream at the deadline", async () => {
    const replies = [];
    for await (const reply of api.request({ ...request(Date.now() + 150), step: "archetype-selector" }, never))
      replies.push(reply);
    expect(replies.length).toBeLessThanOrEqual(1);
  });

  it("frees the request when the caller goes", async () => {
    for await (const _ of api.request(request(Date.now() + 60_000), never)) break;
    await expect.poll(() => world.sidecars.get("exchange")?.status().openRequests).toBe(0);
  });

  it("reads, lists and writes the knowledge base, and names a conflict", async () => {
    const revision = await api.put("/steps/x", "{}", { ifRevision: 0 });
    expect(await api.get("/steps/x")).toEqual({ key: "/steps/x", value: "{}", revision });
    expect((await api.list("/steps/x")).entries.map(({ key }) => key)).toEqual(["/steps/x"]);
    expect(await api.get("/steps/none")).toBeUndefined();
    await expect(api.put("/steps/x", "{}", { ifRevision: 0 })).rejects.toMatchObject({ label: "REVISION_CONFLICT" });
    await expect(api.put("no slash", "{}")).rejects.toMatchObject({ label: "INVALID_REQUEST" });
  });

  it("is ready, and says so by name when it is gone", async () => {
    expect(await api.isReady()).toBe(true);
    await server.stop();
    await expect(api.isReady()).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
  });

  it("takes a cancel of a query that nobody runs", async () => {
    await api.cancel("nobody");
  });
});
