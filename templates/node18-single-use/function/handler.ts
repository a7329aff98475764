import type { FunctionContext, FunctionEvent } from "./handler-types.ts";

/** `{"name":"Ann"}` is answered by `{"greeting":"hello Ann"}`, anything else by 400. */
export default async function greet(event: FunctionEvent, context: FunctionContext): Promise<unknown> {
  const name = nameOf(event.body);
  if (name === undefined) return context.status(400).fail({ error: 'the body must be {"name":"…"} in JSON' });
  return { greeting: `hello ${name}` };
}

function nameOf(body: unknown): string | undefined {
  const { name } = Object(body) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : undefined;
}
