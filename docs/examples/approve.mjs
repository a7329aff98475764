/** The envelope on standard input with the approvals that a policy-enforcer gives to its query: `approve.mjs URL < FILE`. */
import { readFileSync } from "node:fs";

const { chain, ...envelope } = JSON.parse(readFileSync(0, "utf8"));
const asked = { ...envelope, party: "exchange", step: "policy-enforcer", inputs: [{ provider: "" }] };
const headers = { "content-type": "application/json" };
const answer = await fetch(process.argv[2], { method: "POST", headers, body: JSON.stringify(asked) });
const outcome = await answer.json();
const approvals = outcome.forward?.payload.decision.approvals;
if (approvals === undefined) throw new Error(`no approval: ${JSON.stringify(outcome)}`);
process.stdout.write(JSON.stringify({ ...envelope, chain, approvals }));
