/** One transaction of etcd, carried out at most once however often it is tried (see marks.ts). */
import type { EtcdClient } from "./client.ts";
import type { KeyValue } from "./key-values.ts";
import type { Mark, Marks } from "./marks.ts";
import { EtcdRefusal } from "./refusal.ts";
import type { Header } from "./same-store.ts";

export interface Transaction {
  /** etcd's JSON: what must hold, what is then done, and what is read otherwise. */
  readonly compare: readonly object[];
  readonly success: readonly object[];
  readonly failure: readonly object[];
}

export type Committed =
  | { readonly revision: number }
  /** Nothing was changed: what each request of `failure` read. */
  | { readonly found: readonly (readonly KeyValue[])[] };

interface Answer {
  readonly header?: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: { readonly kvs?: readonly KeyValue[] } }[];
}

export class Commits {
  readonly #client: EtcdClient;
  readonly #marks: Marks;

  constructor(client: EtcdClient, marks: Marks) {
    this.#client = client;
    this.#marks = marks;
  }

  /** @throws EtcdRefusal: nothing was changed; with the reason `endpoint`, it is not known whether */
  async commit(transaction: Transaction): Promise<Committed> {
    const attempt = () => this.#marks.use((mark) => this.#tryWith(mark, transaction));
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof EtcdRefusal) || error.reason !== "lease") throw unsure(error);
      // The mark's own lease may be the one that is gone, as after a machine has slept.
      this.#marks.forget();
      return await attempt();
    }
  }

  async #tryWith(mark: Mark, { compare, success, failure }: Transaction): Promise<Committed> {
    const { key, lease } = mark;
    const body = {
      compare: [{ key, target: "MOD", result: "EQUAL", mod_revision: String(mark.revision) }, ...compare],
      success: [...success, { request_put: { key, lease } }],
      failure: [{ request_range: { key, keys_only: true } }, ...failure],
    };
    let isRepeated = false;
    const onAgain = () => {
      isRepeated = true;
    };
    const answer = await this.#client.call<Answer>("/v3/kv/txn", body, { isLinearizable: true, onAgain });
    if (answer.succeeded === true) {
      mark.revision = Number(answer.header?.revision);
      return { revision: mark.revision };
    }
    const [own, ...found] = (answer.responses ?? []).map(({ response_range: range }) => range?.kvs ?? []);
    const markedAt = Number(own?.[0]?.mod_revision ?? 0);
    if (markedAt === mark.revision) return { found };
    if (markedAt === 0) throw markGone(isRepeated);
    // An earlier try has happened, and its answer was lost.
    mark.revision = markedAt;
    return { revision: markedAt };
  }
}

/** Sent once, the write has not happened: as if the lease had been refused. */
function markGone(isRepeated: boolean): EtcdRefusal {
  return isRepeated
    ? new EtcdRefusal("endpoint", "the knowledge base has forgotten what tells a repeated write from a new one")
    : new EtcdRefusal("lease", "the lease has ended");
}

function unsure(error: unknown): unknown {
  if (!(error instanceof EtcdRefusal) || error.reason !== "endpoint") return error;
  return new EtcdRefusal("endpoint", `${error.message}: the change may have been made, or not`, { cause: error });
}
