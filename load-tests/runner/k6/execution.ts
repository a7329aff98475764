/** Stand-in of `k6/execution`, as far as scripts here use it. */
import { bridgeOf, runningOf } from "./bridge.ts";

const scenario = {
  get name() {
    return runningOf("scenario.name").scenario.name;
  },
  get executor() {
    return runningOf("scenario.executor").scenario.executor;
  },
  get startTime() {
    return runningOf("scenario.startTime").scenario.startTimeMs;
  },
  get progress() {
    return runningOf("scenario.progress").scenario.progress;
  },
  get iterationInTest() {
    return runningOf("scenario.iterationInTest").scenario.iterationInTest;
  },
};

const vu = {
  get idInTest() {
    return bridgeOf().id;
  },
};

export default { scenario, vu };
