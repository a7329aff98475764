/** The bytes of a step's table, kept for the next step of this process while they are few enough, else passed on as ever. */
import { createHash } from "node:crypto";
import { Chunk, type Transfer } from "#contracts";
import { limits } from "#domain/limits";
import type { Call } from "./step-invoker.ts";

export class HeldTable {
  readonly #take: Call["take"];
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isPassedOn = false;

  constructor(take: Call["take"]) {
    this.#take = take;
  }

  /** For the step, in place of the call's. */
  take = async (chunk: Uint8Array): Promise<void> => {
    if (this.#isPassedOn) return this.#take(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > limits.fusedBytesMax) await this.passOn();
  };

  /** Its table is complete here; undefined: it has left, or there is none. */
  get chunks(): readonly Uint8Array[] | undefined {
    return this.#isPassedOn || this.#chunks.length === 0 ? undefined : this.#chunks;
  }

  /** As the sidecar would describe it, had it got the bytes. */
  describe(): Transfer {
    const hash = createHash("sha256");
    let bytes = 0;
    for (const chunk of this.#chunks) {
      const { body } = Chunk.decode(chunk);
      hash.update(body);
      bytes += body.length;
    }
    return { name: "", chunks: this.#chunks.length, bytes, sha256: hash.digest() };
  }

  /** To where a table goes that no step here takes. */
  async passOn(): Promise<void> {
    this.#isPassedOn = true;
    for (const chunk of this.#chunks.splice(0)) await this.#take(chunk);
  }
}
