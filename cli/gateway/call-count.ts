/** How many calls a function has in hand, for who wants to stop it without losing one. */
export class CallCount {
  private inHand = 0;
  private waiting: (() => void)[] = [];

  enter(): void {
    this.inHand += 1;
  }

  leave(): void {
    this.inHand -= 1;
    if (this.inHand > 0) return;
    for (const done of this.waiting.splice(0)) done();
  }

  /** Resolves when there is none, or time is up. */
  none(msMax: number): Promise<void> {
    if (this.inHand === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, msMax).unref();
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
