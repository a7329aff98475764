import { Agent, get, type ServerResponse } from "node:http";
import { afterEach, expect, it } from "vitest";
import { type HttpDoor, openHttpDoor } from "./http-door.ts";

const doors: HttpDoor[] = [];
afterEach(() => Promise.all(doors.splice(0).map((door) => door.drain(0))));

async function open(listener: (response: ServerResponse) => void, isReady = () => true): Promise<HttpDoor> {
  const door = await openHttpDoor({
    host: "127.0.0.1",
    port: 0,
    listener: (_, response) => listener(response),
    isReady,
  });
  doors.push(door);
  return door;
}

const url = (door: HttpDoor, path = "/") => `http://127.0.0.1:${door.port}${path}`;

it("is healthy from the start and ready when its function is", async () => {
  let ready = false;
  const door = await open(
    (response) => response.end("other"),
    () => ready,
  );
  const statuses = async () => [
    (await fetch(url(door, "/_/ready"))).status,
    (await fetch(url(door, "/_/health"))).status,
    (await fetch(url(door, "/_/else"))).status,
  ];
  expect(await statuses()).toEqual([503, 200, 200]);
  ready = true;
  expect(await statuses()).toEqual([200, 200, 200]);
});

it("lets calls end while it drains, takes no more, and closes connections that only wait", async () => {
  const held: ServerResponse[] = [];
  const door = await open((response) => held.push(response));
  const idle = new Agent({ keepAlive: true });
  await new Promise((done) => get(url(door, "/_/health"), { agent: idle }, (r) => r.resume().on("end", done)));
  const call = fetch(url(door));
  await expect.poll(() => held.length).toBe(1);
  const drained = door.drain(10_000);
  await expect(fetch(url(door))).rejects.toThrow();
  held[0]?.end("done");
  const response = await call;
  expect([await response.text(), response.headers.get("connection")]).toEqual(["done", "close"]);
  expect(await drained).toBe(true);
  idle.destroy();
});

it("cuts what has not ended in time, and says so", async () => {
  const door = await open(() => {});
  const call = fetch(url(door)).catch(() => "cut");
  await new Promise((resume) => setTimeout(resume, 50));
  expect(await door.drain(20)).toBe(false);
  expect(await call).toBe("cut");
});

it("does not open on a port that is taken", async () => {
  const door = await open(() => {});
  const again = openHttpDoor({ host: "127.0.0.1", port: door.port, listener: () => {}, isReady: () => true });
  await expect(again).rejects.toThrow("EADDRINUSE");
});
