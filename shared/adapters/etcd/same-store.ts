/**
 * Whether it is still the store that we began with. After a backup was restored, or with an address of another
 * cluster, revisions mean something else: who knows the store "up to revision 900" knows nothing of the new one.
 */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface Header {
  readonly cluster_id?: string;
  readonly revision?: string;
  readonly raft_term?: string;
}

export class SameStore {
  #cluster: string | undefined;
  #revision = 0;
  #lost: DynamosError | undefined;

  /** The latest that a read of the whole cluster has shown. */
  get revision(): number {
    return this.#revision;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws DynamosError KNOWLEDGE_UNAVAILABLE, from the first time on always */
  check(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  /**
   * @param atLeast what was known when a linearizable request was sent; absent: of one member, which may be behind
   * @throws DynamosError KNOWLEDGE_UNAVAILABLE
   */
  saw({ cluster_id: cluster, revision = "0" }: Header, atLeast?: number): void {
    this.check();
    if (cluster !== undefined) {
      this.#cluster ??= cluster;
      if (cluster !== this.#cluster) this.#lose("is another cluster than before");
    }
    if (atLeast === undefined) return;
    if (Number(revision) < atLeast) this.#lose(`is at revision ${revision} and was at ${atLeast}`);
    this.#revision = Math.max(this.#revision, Number(revision));
  }

  #lose(how: string): void {
    const message = `the knowledge base ${how}: nothing known of it holds, start again`;
    this.#lost = new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, message);
    throw this.#lost;
  }
}
