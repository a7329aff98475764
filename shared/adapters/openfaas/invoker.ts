/** Calls a party's functions through its OpenFaaS gateway. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Invoker } from "#ports/invoker";
import { deployedSteps } from "./deployed-steps.ts";
import { createHttpExchange, type HttpAnswer } from "./http-exchange.ts";
import { outcomeBytes, outcomeType } from "./outcome-answer.ts";

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

  async function list(): Promise<HttpAnswer> {
    try {
      return await http.send({
        method: "GET",
        path: "/system/functions",
        headers: { accept: "application/json", ...systemHeaders },
        whom: "the gateway",
        answerBytesMax: limits.gatewayListBytesMax,
        deadlineMs: clock.now() + limits.gatewayListMsMax,
        signal: whileOpen,
      });
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
    invoke: async (name, envelope, { deadlineMs, signal }) => {
      const answer = await http.send({
        method: "POST",
        path: `/function/${encodeURIComponent(name)}`,
        headers: { "content-type": outcomeType, accept: outcomeType },
        body: envelope,
        whom: `function ${name}`,
        answerBytesMax: limits.messageBytesMax,
        deadlineMs,
        signal,
      });
      return outcomeBytes(answer, name);
    },
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
