/** Tokens for tests: an issuer of their own, with a real key, in a folder that goes with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bearer, type DemoIssuer, openDemoIssuer } from "../../cli/tokens/demo-issuer.ts";
import { createTokenVerifier, type TokenVerifier } from "../../functions/orchestrator/token.ts";
import { createTokenKeys } from "../../functions/orchestrator/token-keys.ts";
import { readTokenSettings } from "../../functions/orchestrator/token-settings.ts";

export interface Tokens {
  readonly issuer: DemoIssuer;
  /** As the orchestrator verifies them. */
  readonly verify: TokenVerifier;
  /** @param bearer absent: the researcher of the demo's agreements */
  tokenOf(bearer?: Partial<Bearer>): Promise<string>;
  /** A header of a request by this bearer. */
  headerOf(bearer?: Partial<Bearer>): Promise<{ authorization: string }>;
  remove(): Promise<void>;
}

const researcher: Bearer = { user: "researcher@example.org", roles: ["researcher"] };

export async function openTokens(): Promise<Tokens> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-tokens-"));
  const issuer = await openDemoIssuer(folder);
  const settings = readTokenSettings({
    token_issuer: issuer.issuer,
    token_audience: issuer.audience,
    token_jwks_file: issuer.jwksFile,
  });
  const tokenOf: Tokens["tokenOf"] = (bearer = {}) => issuer.sign({ ...researcher, ...bearer }, 3_600);
  return {
    issuer,
    verify: createTokenVerifier(settings, await createTokenKeys(settings.keys)),
    tokenOf,
    headerOf: async (bearer) => ({ authorization: `Bearer ${await tokenOf(bearer)}` }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
