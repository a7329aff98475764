/** One request, with its times; what fails is told in the answer, as k6 tells it. */
import type { HttpAnswer, HttpRequest } from "./messages.ts";

export async function send({ method, url, body, headers, timeoutMs }: HttpRequest): Promise<HttpAnswer> {
  const startedAtMs = performance.now();
  const since = () => performance.now() - startedAtMs;
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const waitingMs = since();
    const text = await response.text();
    const names = [...response.headers].map(([name, value]) => [canonical(name), value]);
    const times = { durationMs: since(), waitingMs };
    return { status: response.status, headers: Object.fromEntries(names), body: text, ...times, error: "" };
  } catch (error) {
    const times = { durationMs: since(), waitingMs: since() };
    return { status: 0, headers: {}, body: "", ...times, error: reasonOf(error) };
  }
}

/** As Go's HTTP library writes names: `etag` is `Etag`. */
function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
