/** The contract of a handler, as the node18 template of OpenFaaS has it. */

export interface FunctionEvent {
  /** By content type: JSON its value, text a string, a form an object, anything else a Buffer; `{}` without a body. */
  readonly body: unknown;
  /** Lower case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly method: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** Without the query. */
  readonly path: string;
}

/** Of succeed, fail, callback, return and throw the first counts; the others are logged. */
export interface FunctionContext {
  status(): number;
  status(code: number): this;
  headers(): Record<string, unknown>;
  /** Replaces those that were set. */
  headers(values: Record<string, unknown>): this;
  succeed(value?: unknown): void;
  /** With 500 where no other status was set. */
  fail(value?: unknown): void;
}

export type FunctionCallback = (error?: unknown, result?: unknown) => void;

export type Handler = (event: FunctionEvent, context: FunctionContext, callback: FunctionCallback) => unknown;
