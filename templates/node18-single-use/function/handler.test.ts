import assert from "node:assert/strict";
import { test } from "node:test";
import greet from "./handler.ts";
import type { FunctionContext, FunctionEvent } from "./handler-types.ts";

/** Calls the handler. @returns its status, and what it returned or failed with */
async function call(body: unknown): Promise<{ status: number; answer: unknown }> {
  const event: FunctionEvent = { body, headers: {}, method: "POST", query: {}, path: "/" };
  let status = 200;
  let failure: unknown;
  const context = {
    status(code: number) {
      status = code;
      return context;
    },
    fail(value: unknown) {
      failure = value;
    },
  } as unknown as FunctionContext;
  const answer = await greet(event, context);
  return { status, answer: answer ?? failure };
}

test("greets by name", async () => {
  assert.deepEqual(await call({ name: "Ann" }), { status: 200, answer: { greeting: "hello Ann" } });
});

test("refuses a body without a name", async () => {
  for (const body of [{}, { name: 5 }, "Ann", null]) assert.equal((await call(body)).status, 400);
});
