/** The front door of the system: one HTTP request in, one answer out. */
import { getRequestListener } from "@hono/node-server";
import { defineHttpFunction } from "#runtime/define-http-function";
import { jsonLog } from "#runtime/json-log";
import { connectSidecar } from "#sidecar/client";
import { createApp } from "./app.ts";
import { readConfig } from "./config.ts";

export default defineHttpFunction({
  name: "orchestrator",
  start: async (environment) => {
    const config = readConfig(environment);
    const api = connectSidecar(config.sidecarAddress);
    const app = createApp(api, config.exchangeParty, jsonLog({ function: "orchestrator" }));
    return {
      listener: getRequestListener(app.fetch),
      close: async () => {
        await app.close();
        api.close();
      },
    };
  },
});
