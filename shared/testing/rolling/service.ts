/** Stands for a Kubernetes Service: a new connection goes to one of the endpoints that are listed; open ones stay where they are. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Service {
  readonly port: number;
  add(port: number): void;
  /** New connections go elsewhere. */
  remove(port: number): void;
  close(): Promise<void>;
}

export async function openService(): Promise<Service> {
  const endpoints: number[] = [];
  const sockets = new Set<Socket>();
  let next = 0;
  const server = createServer((client) => {
    const port = endpoints[next++ % Math.max(1, endpoints.length)];
    if (port === undefined) return void client.resetAndDestroy();
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
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    add: (port) => void endpoints.push(port),
    remove: (port) => void endpoints.splice(endpoints.indexOf(port), endpoints.includes(port) ? 1 : 0),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
