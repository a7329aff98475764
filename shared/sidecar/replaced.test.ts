/** A sidecar that is replaced: what its orchestrator has asked it goes on there, and what comes next goes to the other. */
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Envelope, ErrorCode, Reply } from "#contracts";
import { DynamosError } from "#errors";
import { openService, type Service } from "#testing/rolling/service";
import { connectSidecar, type SidecarApi } from "./client.ts";
import { type GrpcServer, serveSidecar } from "./grpc-server.ts";
import type { Sidecar } from "./start-sidecar.ts";

interface Replaceable {
  readonly server: GrpcServer;
  readonly asked: string[];
  isStopping: boolean;
}

/** Over the ten seconds after which a client looks whether its connection is alive. */
const longMs = 12_000;
let service: Service;
let sidecars: Replaceable[];
let api: SidecarApi;

beforeEach(async () => {
  service = await openService();
  sidecars = [];
  api = connectSidecar(`127.0.0.1:${service.port}`);
});
afterEach(async () => {
  api.close();
  for (const { server } of sidecars) await server.stop();
  await service.close();
});

async function start(queryMs: number): Promise<Replaceable> {
  const asked: string[] = [];
  async function* request({ queryId }: Envelope): AsyncGenerator<Reply> {
    if (one.isStopping) throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "this sidecar is stopping");
    asked.push(queryId);
    yield Reply.fromPartial({ queryId, id: "first" });
    await wait(queryMs);
    yield Reply.fromPartial({ queryId, id: "last" });
  }
  const server = await serveSidecar({ party: "exchange", request } as unknown as Sidecar, "127.0.0.1:0");
  const one: Replaceable = { server, asked, isStopping: false };
  sidecars.push(one);
  service.add(portOf(one));
  return one;
}

const portOf = ({ server }: Replaceable) => Number(server.address.split(":")[1]);

async function ask(queryId: string): Promise<string[]> {
  const envelope = Envelope.fromPartial({ queryId, deadlineMs: Date.now() + 60_000 });
  const ids: string[] = [];
  for await (const { id } of api.request(envelope, new AbortController().signal)) ids.push(id);
  return ids;
}

it("a query that runs longer than a keepalive is not cut, and the next one is asked elsewhere", async () => {
  const old = await start(longMs);
  const long = ask("long");
  await expect.poll(() => old.asked).toEqual(["long"]);
  old.isStopping = true;
  const drained = old.server.drain();
  service.remove(portOf(old));
  const next = await start(10);
  expect(await ask("next")).toEqual(["first", "last"]);
  expect(next.asked).toEqual(["next"]);
  expect(await long).toEqual(["first", "last"]);
  await drained;
}, 40_000);

it("a query is asked again for as long as new connections still reach the sidecar that is stopping", async () => {
  const old = await start(10);
  await ask("before");
  old.isStopping = true;
  const asked = ask("after");
  await wait(300);
  service.remove(portOf(old));
  const next = await start(10);
  expect(await asked).toEqual(["first", "last"]);
  expect([old.asked, next.asked]).toEqual([["before"], ["after"]]);
}, 20_000);
