/** Calls to etcd's JSON gateway: each ends in time, goes to another endpoint where one fails, and is signed in. */
import { setMaxListeners } from "node:events";
import type { Agent } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { exchange, follow, makeAgent } from "./http.ts";
import { EtcdRefusal, refusalOf, unreachable } from "./refusal.ts";
import { type Header, SameStore } from "./same-store.ts";
import { type EtcdUser, SignIn } from "./sign-in.ts";
import { type EtcdTlsFiles, type TlsOptions, tlsReader } from "./tls-files.ts";

export interface EtcdClientOptions {
  readonly endpoints: readonly string[];
  /** Absent: etcd asks for none. */
  readonly user?: EtcdUser | undefined;
  readonly tls?: EtcdTlsFiles | undefined;
}

export interface CallOptions {
  /** Of one try and of all; absent: the limits. */
  readonly tryMs?: number;
  readonly totalMs?: number;
  /** Its answer's revision is the cluster's, not one member's: reads of keys, transactions. */
  readonly isLinearizable?: boolean;
  /** Before each try after the first. */
  readonly onAgain?: () => void;
}

export class EtcdClient {
  readonly store = new SameStore();
  readonly #endpoints: readonly string[];
  readonly #signIn: SignIn;
  readonly #tls: () => Promise<TlsOptions | undefined>;
  /** Watches last: they must not take the places of calls. */
  readonly #agents: { readonly calls: Agent; readonly streams: Agent };
  readonly #closing = new AbortController();
  #current = 0;

  /** @throws DynamosError INVALID_REQUEST */
  constructor({ endpoints, user, tls = {} }: EtcdClientOptions) {
    this.#endpoints = endpoints;
    // Every call that is open listens to it.
    setMaxListeners(0, this.#closing.signal);
    const isTls = endpoints[0]?.startsWith("https:") ?? false;
    this.#tls = tlsReader(isTls, tls);
    const maxSockets = limits.etcdSocketsMax;
    this.#agents = { calls: makeAgent(isTls, { maxSockets }), streams: makeAgent(isTls, { maxSockets: Infinity }) };
    this.#signIn = new SignIn(user, async (body) => {
      const { token } = await this.#tries<{ token?: string }>(
        "/v3/auth/authenticate",
        body,
        { totalMs: limits.etcdTryMsMax },
        false,
      );
      return token ?? "";
    });
  }

  /**
   * Tried again, here and at the other endpoints, until there is an answer or no time: it must not matter when the same
   * request is carried out twice.
   * @throws EtcdRefusal, DynamosError KNOWLEDGE_UNAVAILABLE
   */
  call<Answer extends { readonly header?: Header }>(path: string, body: object, options: CallOptions = {}) {
    return this.#tries<Answer>(path, body, options, true);
  }

  /**
   * One try at one endpoint; the next one goes elsewhere when it failed.
   * @param onMessage each message of the stream; undefined for a line that is none
   * @throws EtcdRefusal when it could not be had or was lost
   */
  async stream(path: string, body: object, signal: AbortSignal, onMessage: (result: unknown) => void): Promise<void> {
    this.#checkOpen();
    const endpoint = this.#endpoint();
    const where = new URL(endpoint).host;
    const token = await this.#signIn.token();
    const request = { endpoint, path, body: JSON.stringify(body), token, tls: await this.#tls() };
    try {
      await follow(
        { ...request, agent: this.#agents.streams, signal: AbortSignal.any([signal, this.#closing.signal]) },
        (status, line) => {
          const result = status === 200 ? (JSON.parse(line) as { result?: unknown }).result : undefined;
          if (result === undefined) throw refusalOf(where, status === 200 ? 503 : status, line);
          onMessage(result);
        },
      );
      throw new EtcdRefusal("endpoint", `the knowledge base at ${where} ended the stream`);
    } catch (error) {
      const refusal = unreachable(where, error);
      if (signal.aborted) throw refusal;
      if (refusal.reason === "token" && token !== undefined) await this.#signIn.refused(token);
      if (refusal.reason === "endpoint") this.#failed(endpoint);
      throw refusal;
    }
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Whatever is open ends. */
  close(): void {
    this.#closing.abort();
    this.#agents.calls.destroy();
    this.#agents.streams.destroy();
  }

  async #tries<Answer>(path: string, body: object, options: CallOptions, isSigned: boolean): Promise<Answer> {
    const text = JSON.stringify(body);
    const extraMs = text.length / limits.etcdBytesPerMs;
    const { tryMs = limits.etcdTryMsMax + extraMs, totalMs = limits.etcdCallMsMax + extraMs } = options;
    const untilMs = performance.now() + totalMs;
    for (let tries = 1; ; tries++) {
      this.#checkOpen();
      const leftMs = untilMs - performance.now();
      const refusal = await this.#once<Answer>(
        path,
        text,
        { ...options, tryMs: Math.min(tryMs, leftMs) },
        isSigned,
      ).catch((error: unknown) => error as DynamosError);
      if (!(refusal instanceof DynamosError)) return refusal;
      if (this.isClosed) this.#checkOpen();
      const isTransient =
        refusal instanceof EtcdRefusal && (refusal.reason === "endpoint" || refusal.reason === "token");
      // Each endpoint once without waiting, then with pauses that double.
      const round = Math.floor(tries / this.#endpoints.length) - 1;
      const pauseMs = round < 0 ? 0 : Math.min(limits.etcdRetryLongestMs, limits.etcdRetryFirstMs * 2 ** round);
      if (!isTransient || performance.now() + pauseMs >= untilMs) throw refusal;
      options.onAgain?.();
      await wait(pauseMs * (0.5 + Math.random() / 2), undefined, { signal: this.#closing.signal }).catch(() => {});
    }
  }

  async #once<Answer>(path: string, body: string, options: CallOptions, isSigned: boolean): Promise<Answer> {
    const endpoint = this.#endpoint();
    const where = new URL(endpoint).host;
    const token = isSigned ? await this.#signIn.token() : undefined;
    const tls = await this.#tls();
    const atLeast = options.isLinearizable === true ? this.store.revision : undefined;
    const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(options.tryMs ?? 0)));
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    try {
      const answer = await exchange({ endpoint, path, body, token, tls, agent: this.#agents.calls, signal });
      if (answer.status !== 200) throw refusalOf(where, answer.status, answer.body);
      const json = jsonOf(answer.body, where);
      this.store.saw(json.header ?? json.result?.header ?? {}, atLeast);
      return json as Answer;
    } catch (error) {
      if (error instanceof DynamosError && !(error instanceof EtcdRefusal)) throw error;
      const refusal = unreachable(where, error);
      if (refusal.reason === "token" && token !== undefined) await this.#signIn.refused(token);
      if (refusal.reason === "endpoint") this.#failed(endpoint);
      throw refusal;
    }
  }

  #endpoint(): string {
    return this.#endpoints[this.#current % this.#endpoints.length] as string;
  }

  /** Several calls fail at one endpoint together, and only the first of them turns to the next. */
  #failed(endpoint: string): void {
    if (endpoint === this.#endpoint()) this.#current += 1;
  }

  #checkOpen(): void {
    if (this.isClosed) throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "the knowledge base is closed");
    this.store.check();
  }
}

interface AnyAnswer {
  readonly header?: Header;
  /** Of a stream's only message. */
  readonly result?: { readonly header?: Header };
}

function jsonOf(body: string, where: string): AnyAnswer {
  try {
    return JSON.parse(body) as AnyAnswer;
  } catch (cause) {
    throw new EtcdRefusal("endpoint", `the knowledge base at ${where} answers with what is no JSON`, { cause });
  }
}
