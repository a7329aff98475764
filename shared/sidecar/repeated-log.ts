/** For what fails again and again: said the first time, then at most every half a minute, with how often it was since. */
import { limits } from "#domain/limits";
import type { Clock } from "#ports/clock";
import type { Log, LogFields } from "#ports/log";

export interface RepeatedLog {
  /** A warning; `times` is among its fields where it stands for more than one. */
  warn(message: string, fields: LogFields): void;
  /** It has worked again: the next failure is said at once. */
  worked(): void;
}

export function repeatedLog(log: Log, clock: Clock): RepeatedLog {
  let saidAtMs: number | undefined;
  let times = 0;
  return {
    warn: (message, fields) => {
      times += 1;
      if (saidAtMs !== undefined && clock.now() - saidAtMs < limits.repeatedLogMs) return;
      log.log("warn", message, times === 1 ? fields : { ...fields, times });
      saidAtMs = clock.now();
      times = 0;
    },
    worked: () => {
      saidAtMs = undefined;
      times = 0;
    },
  };
}
