/** Open load: a query comes when it comes, whether or not the last one was answered. */
import type { ConstantArrivalRateScenario } from "k6/options";

/** @param duration in k6's manner: `1m` */
export function constantRate(perSecond: number, duration: string): ConstantArrivalRateScenario {
  return {
    executor: "constant-arrival-rate",
    // Whole numbers only: so many a minute.
    rate: Math.max(1, Math.round(perSecond * 60)),
    timeUnit: "1m",
    duration,
    preAllocatedVUs: Math.ceil(perSecond * 5),
    // An answer may take 40 s before a query has nobody to ask it.
    maxVUs: Math.ceil(perSecond * 40),
  };
}
