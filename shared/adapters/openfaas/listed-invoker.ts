/** Calls a party's functions where there is no gateway: a file says which step is served at which address. */
import { readFile } from "node:fs/promises";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Invoker } from "#ports/invoker";
import { callFunction } from "./call-function.ts";
import { createHttpExchange, type HttpExchange } from "./http-exchange.ts";
import { type ListedFunction, listedFunctions } from "./listed-functions.ts";

export interface ListedInvokerOptions {
  /** JSON: `listedFunctions`. Read whenever the functions are listed, so a changed file counts without a restart. */
  readonly file: string;
  readonly party: string;
  readonly clock: Clock;
}

export function createListedInvoker({ file, party, clock }: ListedInvokerOptions): Invoker {
  const exchanges = new Map<string, HttpExchange>();
  let functions: ReadonlyMap<string, ListedFunction> = new Map();
  let isClosed = false;

  function exchangeTo(url: URL): HttpExchange {
    const known = exchanges.get(url.href);
    if (known !== undefined) return known;
    const made = createHttpExchange(url, clock);
    exchanges.set(url.href, made);
    return made;
  }

  return {
    steps: async () => {
      const listed = listedFunctions(await textOf(file), file);
      functions = new Map(listed.map((one) => [one.step, one]));
      return listed.map(({ step, concurrency, fuses }) => ({
        name: step,
        topic: `${party.toLowerCase()}.${step}`,
        concurrency,
        ...(fuses === undefined ? {} : { fuses }),
      }));
    },
    invoke: async (name, invocation, options) => {
      const listed = functions.get(name);
      if (listed === undefined || isClosed) {
        throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `function ${name} is not deployed`);
      }
      return callFunction(exchangeTo(listed.url), { name, path: "/" }, { ...invocation, ...options });
    },
    close: async () => {
      isClosed = true;
      for (const exchange of exchanges.values()) exchange.close();
    },
  };
}

async function textOf(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= limits.gatewayListBytesMax) return bytes.toString();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    const message = `the list of functions, ${file}, can't be read (${reason})`;
    throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, message, { cause });
  }
  const message = `the list of functions, ${file}, is over the limit of ${limits.gatewayListBytesMax} bytes`;
  throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, message);
}
