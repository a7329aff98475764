/** Chunks from events to an iteration, with a word to the sender when it is too far ahead. */

export interface ChunkQueueEvents {
  /** More is waiting than is good; `resume` follows. */
  readonly pause: () => void;
  readonly resume: () => void;
}

const waitingMax = 8;

export class ChunkQueue implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = [];
  readonly #events: ChunkQueueEvents;
  #wake: () => void = () => {};
  #ended = false;
  #paused = false;

  constructor(events: ChunkQueueEvents) {
    this.#events = events;
  }

  push(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    if (this.#waiting.length >= waitingMax && !this.#paused) {
      this.#paused = true;
      this.#events.pause();
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) {
        yield chunk;
      } else if (this.#ended) {
        return;
      } else {
        if (this.#paused) {
          this.#paused = false;
          this.#events.resume();
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
