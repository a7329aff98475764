import { Hono } from "hono";
import { expect, it } from "vitest";
import { createBodyReader } from "./body-reader.ts";

const json = { "content-type": "application/json" };
const post = (body: RequestInit["body"]) =>
  new Request("http://h/", { method: "POST", headers: json, body: body ?? null, duplex: "half" } as RequestInit);

it("sends away who comes while so many are being read, and takes the next one again", async () => {
  const bodies = createBodyReader(2);
  const app = new Hono().post("/", async (c) => c.json(await bodies.read(c)));
  app.onError((error, c) => c.text(error.message, 503));
  const senders: ReadableStreamDefaultController<Uint8Array>[] = [];
  const slow = () =>
    app.fetch(post(new ReadableStream<Uint8Array>({ start: (controller) => void senders.push(controller) })));
  const held = [slow(), slow()];
  const away = await app.fetch(post("{}"));
  expect([away.status, await away.text()]).toEqual([503, "2 requests are being read, come back in a moment"]);
  const [first, second] = senders;
  first?.enqueue(new TextEncoder().encode('{"a":1}'));
  first?.close();
  expect(await (await held[0])?.json()).toEqual({ a: 1 });
  expect((await app.fetch(post("{}"))).status).toBe(200);
  // Who leaves in the middle gives the place back too.
  second?.error(new Error("left"));
  expect((await held[1])?.status).toBe(503);
  const more = await Promise.all([app.fetch(post("{}")), app.fetch(post("{}"))]);
  expect(more.map(({ status }) => status)).toEqual([200, 200]);
});
