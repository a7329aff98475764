/** Ctrl-C and SIGTERM: stop everything, within two seconds whatever happens. */
import { killDescendants } from "../system/descendants.ts";

const stopMsMax = 1_800;
/** A terminal signals the whole group, and npm passes it on once more: that is not a second wish. */
const repeatMs = 500;

/** Resolves when a signal has come and everything is stopped. A second signal ends the process at once. */
export function stopOnSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let stoppingSince = 0;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stoppingSince > 0) {
        if (performance.now() - stoppingSince > repeatMs) endNow();
        return;
      }
      stoppingSince = performance.now();
      process.stderr.write(`\n${signal}: stopping\n`);
      const timer = setTimeout(endNow, stopMsMax);
      void stop().finally(() => {
        clearTimeout(timer);
        resolve();
      });
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

/** Folders go with the exit. */
function endNow(): never {
  killDescendants();
  process.exit(1);
}

/** While a start is under way, a signal ends the process; its folders go with it, and its functions see it go. */
export async function startInterruptibly<Started>(start: () => Promise<Started>): Promise<Started> {
  const exit = () => process.exit(130);
  process.on("SIGINT", exit);
  process.on("SIGTERM", exit);
  try {
    return await start();
  } finally {
    process.off("SIGINT", exit);
    process.off("SIGTERM", exit);
  }
}
