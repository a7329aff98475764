/** What this user's `dynamos` keeps between runs: the local demo's key. */
import { homedir } from "node:os";
import { join } from "node:path";

export function stateFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment.DYNAMOS_HOME || join(homedir(), ".dynamos");
}
