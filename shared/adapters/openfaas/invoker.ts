/** Calls a party's functions through its OpenFaaS gateway. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Invoker } from "#ports/invoker";
import { callFunction } from "./call-function.ts";
import { deployedSteps } from "./deployed-steps.ts";
import { createHttpExchange, type HttpRequest } from "./http-exchange.ts";

export interface OpenfaasInvokerOptions {
  /** http or https; may have a path, where the gateway is behind an ingress. */
  readonly gatewayUrl: string;
  /** Basic auth, which OpenFaaS asks for under /system/ only. */
  readonly auth?: { readonly user: string; readonly password: string };
  readonly party: string;
  readonly clock: Clock;
}

/** @throws RangeError when the URL is not one */
export function createOpenfaasInvoker({ gatewayUrl, auth, party, clock }: OpenfaasInvokerOptions): Invoker {
  const http = createHttpExchange(readUrl(gatewayUrl), clock);
  const whileOpen = new AbortController().signal;
  const systemHeaders = auth === undefined ? {} : { authorization: basic(auth.user, auth.password) };

  async function list(): Promise<{ status: number; body: Uint8Array }> {
    const request: HttpRequest = {
      method: "GET",
      path: "/system/functions",
      headers: { accept: "application/json", ...systemHeaders },
      whom: "the gateway",
      deadlineMs: clock.now() + limits.gatewayListMsMax,
      signal: whileOpen,
    };
    try {
      return await http.send(request, async ({ status, whole }) => ({
        status,
        body: await whole(limits.gatewayListBytesMax),
      }));
    } catch (error) {
      if (!(error instanceof DynamosError) || error.code === ErrorCode.FUNCTION_UNAVAILABLE) throw error;
      const message = `the gateway did not list its functions: ${error.message}`;
      throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, message, { cause: error });
    }
  }

  return {
    steps: async () => {
      const { status, body } = await list();
      if (status !== 200) {
        const why = status === 401 ? "does not accept these credentials" : `answered with status ${status}`;
        throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `the gateway ${why} when its functions were listed`);
      }
      return deployedSteps(Buffer.from(body).toString(), party);
    },
    invoke: (name, invocation, options) =>
      callFunction(http, { name, path: `/function/${encodeURIComponent(name)}` }, { ...invocation, ...options }),
    close: async () => http.close(),
  };
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new RangeError("the gateway's URL must begin with http:// or https://");
  }
  if (url.username !== "" || url.password !== "") {
    throw new RangeError("the gateway's URL must not hold credentials: give them apart");
  }
  return url;
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
