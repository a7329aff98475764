/** Which token a command sends. */
import { type Bearer, findDemoIssuer } from "./demo-issuer.ts";
import { stateFolder } from "./state-folder.ts";

/** One command's time, and more than any query takes. */
const lifetimeS = 600;

/**
 * @param given by the command line; else DYNAMOS_TOKEN; else one of the local demo's for this bearer
 * @param bearer a researcher's name, or more
 * @throws Error with a sentence when there is none
 */
export async function bearerToken(
  given: string | undefined,
  bearer: string | Bearer,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const token = given ?? (environment.DYNAMOS_TOKEN || undefined);
  if (token !== undefined) return token;
  const issuer = await findDemoIssuer(stateFolder(environment));
  const known = typeof bearer === "string" ? { user: bearer, roles: ["researcher"] } : bearer;
  if (issuer !== undefined) return issuer.sign(known, lifetimeS);
  throw new Error("there is no token: give one with --token or DYNAMOS_TOKEN, or start `dynamos up` as the same user");
}
