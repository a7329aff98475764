/** The front door of the system: one HTTP request in, one answer out. */
import { defineHttpFunction } from "#runtime/define-http-function";
import { jsonLog } from "#runtime/json-log";
import { connectSidecar } from "#sidecar/client";
import { createApp } from "./app.ts";
import { readConfig } from "./config.ts";
import { listenerOf } from "./listener.ts";
import { createTokenVerifier } from "./token.ts";
import { createTokenKeys } from "./token-keys.ts";

export default defineHttpFunction({
  name: "orchestrator",
  start: async (environment) => {
    const { sidecarAddress, tokens, ...config } = readConfig(environment);
    const verify = createTokenVerifier(tokens, await createTokenKeys(tokens.keys));
    const api = connectSidecar(sidecarAddress);
    const app = createApp({ ...config, verify, api, log: jsonLog({ function: "orchestrator" }) });
    return {
      listener: listenerOf(app.fetch),
      stopping: app.stopping,
      close: async () => {
        await app.close();
        api.close();
      },
    };
  },
});
