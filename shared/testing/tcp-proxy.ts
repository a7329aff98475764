/** Stands between a client and a server and breaks what passes when the test says so. */
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Resets every connection. New ones are refused until `heal`. */
  cut(): void;
  heal(): void;
  /** Nothing passes any more, and nobody is told: a half-open connection. */
  silence(): void;
  /** The connections that there are become half-open for good; new ones pass. */
  abandon(): void;
  /** From now on everything takes this long to pass, each way. */
  delay(ms: number): void;
  close(): Promise<void>;
}

/** @param target its port, chosen for each connection; undefined: there is none */
export async function openTcpProxy(target: number | (() => number | undefined)): Promise<TcpProxy> {
  const targetPort = typeof target === "number" ? () => target : target;
  const sockets = new Set<Socket>();
  let broken = false;
  let silent = false;
  let delayMs = 0;
  const abandoned = new WeakSet<Socket>();
  const server = createServer((client) => {
    const port = broken ? undefined : targetPort();
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      const pass = delayed((bytes) => {
        if (!silent && !abandoned.has(from) && !to.destroyed && !to.write(bytes)) from.pause();
      });
      from.on("data", (bytes) => pass(bytes, delayMs));
      to.on("drain", () => from.resume());
      from.on("end", () => to.end());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = () => {
    broken = true;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    cut,
    heal: () => {
      broken = false;
      silent = false;
    },
    silence: () => {
      silent = true;
    },
    abandon: () => {
      for (const socket of sockets) abandoned.add(socket);
    },
    delay: (ms) => {
      delayMs = ms;
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}

/** Passes what it gets on after a while, in its order also when the while changes. */
function delayed(pass: (bytes: Buffer) => void): (bytes: Buffer, delayMs: number) => void {
  const waiting: { readonly bytes: Buffer; readonly atMs: number }[] = [];

  function drain(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const leftMs = first.atMs - performance.now();
      if (leftMs > 0) {
        setTimeout(drain, Math.ceil(leftMs));
        return;
      }
      waiting.shift();
      pass(first.bytes);
    }
  }

  return (bytes, delayMs) => {
    waiting.push({ bytes, atMs: performance.now() + delayMs });
    if (waiting.length === 1) drain();
  };
}
