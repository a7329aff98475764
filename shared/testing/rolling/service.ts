/** Stands for a Kubernetes Service: a new connection goes to one of the endpoints that are listed; open ones stay where they are. */
import { openTcpProxy } from "../tcp-proxy.ts";

export interface Service {
  readonly port: number;
  add(port: number): void;
  /** New connections go elsewhere. */
  remove(port: number): void;
  close(): Promise<void>;
}

export async function openService(): Promise<Service> {
  const endpoints: number[] = [];
  let next = 0;
  const { port, close } = await openTcpProxy(() => endpoints[next++ % Math.max(1, endpoints.length)]);
  return {
    port,
    add: (endpoint) => void endpoints.push(endpoint),
    remove: (endpoint) => void endpoints.splice(endpoints.indexOf(endpoint), endpoints.includes(endpoint) ? 1 : 0),
    close,
  };
}
