/** The made-up steps behind HTTP, as an OpenFaaS gateway has them, through the doors that functions have. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryLog } from "#adapters/memory/log";
import { inProcessInvoker } from "#runtime/in-process-invoker";
import { stepListener } from "#runtime/step-listener";
import archetypeSelector from "../../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../../functions/policy-enforcer/handler.ts";
import { approvalEnvironment } from "../approval-keys.ts";
import { exchangeParty } from "../asker.ts";
import type { Crash } from "./life.ts";
import { madeUpSteps } from "./made-up-steps.ts";

export interface MadeUpGateway {
  readonly url: string;
  stop(): Promise<void>;
}

const requestsMax = 64;
const steps = { ...madeUpSteps, [exchangeParty]: [policyEnforcer, archetypeSelector] };

/** @param crashes asked at each call of a function: whether and how its connection goes */
export async function startMadeUpGateway(crashes: (name: string) => Crash | undefined): Promise<MadeUpGateway> {
  const log = createMemoryLog();
  const functions = new Map<
    string,
    { topic: string; listener: (request: IncomingMessage, response: ServerResponse) => void }
  >();
  for (const [party, served] of Object.entries(steps)) {
    for (const step of served) {
      const place = party.toLowerCase();
      const invoker = await inProcessInvoker(step, approvalEnvironment, log);
      const loadJson = () => Promise.reject(new Error("nobody asks for JSON here"));
      const listener = stepListener({ step, invoker, requestsMax, loadJson, build: "", log });
      functions.set(`${place}-${step.name}`, { topic: `${place}.${step.name}`, listener });
    }
  }
  const list = JSON.stringify([...functions].map(([name, { topic }]) => ({ name, annotations: { topic } })));
  const server = createServer({ noDelay: true }, (request, response) => {
    if (request.url === "/system/functions") {
      response.writeHead(200, { "content-type": "application/json" }).end(list);
      return;
    }
    const name = request.url?.replace("/function/", "") ?? "";
    const found = functions.get(name);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    // The gateway's proxy calls the function's own door at its root.
    request.url = "/";
    crash(response, crashes(name));
    found.listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A process that dies takes its connections along. */
function crash(response: ServerResponse, how: Crash | undefined): void {
  if (how === undefined) return;
  if (how === "before") {
    response.destroy();
    return;
  }
  const { write } = response;
  let writes = 0;
  if (how === "midway") {
    response.write = (...piece: unknown[]) => {
      writes += 1;
      if (writes > 2) response.destroy();
      return Reflect.apply(write, response, piece);
    };
  }
  response.end = () => response.destroy();
}
