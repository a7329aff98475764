/** Ctrl-C and SIGTERM: stop everything, within two seconds whatever happens. */

const stopMsMax = 1_800;

/** Resolves when a signal has come and everything is stopped. A second signal ends the process at once. */
export function stopOnSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(1);
      stopping = true;
      process.stderr.write(`\n${signal}: stopping\n`);
      const timer = setTimeout(() => process.exit(1), stopMsMax);
      void stop().finally(() => {
        clearTimeout(timer);
        resolve();
      });
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
