/** How a plain handler answers: the first of succeed, fail, callback, return and throw counts. */

/** What was said first. `thrown` is not for the caller's eyes, `failed` was said on purpose. */
export type Said =
  | { readonly how: "succeeded" | "failed"; readonly value: unknown }
  | { readonly how: "thrown"; readonly error: unknown };

export class HandlerContext {
  #status = 200;
  #headers: Record<string, unknown> = {};
  readonly #say: (said: Said) => void;

  constructor(say: (said: Said) => void) {
    this.#say = say;
  }

  status(): number;
  status(code: number): this;
  status(code?: number): number | this {
    if (!code) return this.#status;
    this.#status = code;
    return this;
  }

  headers(): Record<string, unknown>;
  headers(values: Record<string, unknown>): this;
  /** Replaces those that were set. */
  headers(values?: Record<string, unknown>): Record<string, unknown> | this {
    if (!values) return this.#headers;
    this.#headers = values;
    return this;
  }

  succeed(value?: unknown): void {
    this.#say({ how: "succeeded", value });
  }

  /** With 500 where no other status was set. */
  fail(value?: unknown): void {
    if (Number(this.#status) === 200) this.#status = 500;
    this.#say({ how: "failed", value });
  }
}
