/** Several nodes in one URL: a proxy before the broker is a node that can go away. */
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { message } from "#testing/broker-contract/kit";
import { freePort } from "#testing/free-port";
import { openTcpProxy } from "#testing/tcp-proxy";
import { connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";

const url = inject("amqpUrl");
const log = createMemoryLog();

function at(port: number): string {
  const moved = new URL(url);
  moved.port = String(port);
  return moved.toString();
}

describe.skipIf(url === "")("a broker of several nodes", () => {
  const cleanup: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const step of cleanup.splice(0).reverse()) await step();
  });

  async function connect(urls: readonly string[]) {
    const prefix = `t${randomUUID()}.`;
    cleanup.push(() => removeAll({ url, prefix, queues: ["q"], parties: ["UVA"] }));
    const broker = await connectAmqp({ url: urls.join(","), party: "UVA", log, prefix });
    cleanup.push(() => broker.close());
    return broker;
  }

  it("is connected to although the first is not there", async () => {
    const broker = await connect([at(await freePort()), url]);
    expect(broker.status().kind).toBe("connected");
  });

  it("is connected to on the next when the one in use goes, and its consumers go on", async () => {
    const proxy = await openTcpProxy(Number(new URL(url).port));
    cleanup.push(() => proxy.close());
    const broker = await connect([at(proxy.port), url]);
    const seen: string[] = [];
    await broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
      seen.push(id);
      return { kind: "done" };
    });
    proxy.cut();
    await broker.publish(message("q", "after"));
    await expect.poll(() => seen).toEqual(["after"]);
  });

  it("of which none is there says which were asked, without the password", async () => {
    const ports = [await freePort(), await freePort()];
    const connecting = connect(ports.map(at));
    await expect(connecting).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
    await expect(connecting).rejects.toThrow(ports.map((port) => `127.0.0.1:${port}`).join(", "));
  });
});
