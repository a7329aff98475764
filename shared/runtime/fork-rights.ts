/** What a forked child gives up before it sees anything of a query. */
import type { ForkCalls } from "./fork-calls.ts";
import type { ChildSetup } from "./fork-protocol.ts";

export function dropRights(_calls: ForkCalls, _setup: ChildSetup): void {}
