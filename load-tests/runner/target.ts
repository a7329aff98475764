/** What the load goes to: the system that GATEWAY names, or one of the demo that is started for it. */
import { join } from "node:path";
import { startFromFlags } from "../../cli/commands/system-options.ts";
import { demoUser } from "../../cli/demo/documents.ts";
import { openDemoIssuer } from "../../cli/tokens/demo-issuer.ts";
import { stateFolder } from "../../cli/tokens/state-folder.ts";

export interface Target {
  /** GATEWAY, TOKEN and STEWARD_TOKEN, for `-e` of scripts. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** One subject asks as much as all others would. */
const requestsPerMinute = 1_000_000;
const lifetimeS = 86_400;

/**
 * @param given `-e` of the command line
 * @param broker of a system that is started
 */
export async function openTarget(
  given: Readonly<Record<string, string>>,
  broker: string,
  onProgress: (text: string) => void,
): Promise<Target> {
  const issuer = await openDemoIssuer(stateFolder());
  const tokens = {
    TOKEN: await issuer.sign({ user: demoUser, roles: ["researcher"] }, lifetimeS),
    STEWARD_TOKEN: await issuer.sign({ user: "steward@uva.example.org", roles: ["steward"], party: "UVA" }, lifetimeS),
  };
  if (given.GATEWAY) return { environment: { ...tokens, ...given }, stop: async () => {} };
  onProgress("no -e GATEWAY=… is given: starting the system of the demo");
  const flags = { port: "0", broker, logLevel: "error", requestsPerMinute } as const;
  const { system, stop } = await startFromFlags(flags, onProgress);
  return { environment: { ...tokens, ...given, GATEWAY: system.url }, stop };
}

export function scriptPath(name: string): string {
  return name.endsWith(".ts") || name.endsWith(".js") ? name : join(import.meta.dirname, "..", `${name}.ts`);
}
