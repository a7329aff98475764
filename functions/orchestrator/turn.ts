/** One at a time: a transfer has one reader. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface Turn {
  /** @returns to be called once when done. @throws DynamosError OVERLOADED when others take longer than this */
  take(waitMsMax: number): Promise<() => void>;
}

export function createTurn(): Turn {
  let taken = false;
  const waiting: (() => void)[] = [];

  function give(): () => void {
    taken = true;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      taken = false;
      waiting.shift()?.();
    };
  }

  return {
    take: (waitMsMax) => {
      if (!taken) return Promise.resolve(give());
      return new Promise((resolve, reject) => {
        const next = () => {
          clearTimeout(timer);
          resolve(give());
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(next), 1);
          reject(new DynamosError(ErrorCode.OVERLOADED, "somebody else is reading this answer, come back in a moment"));
        }, waitMsMax);
        waiting.push(next);
      });
    },
  };
}
