/** Stand-in of `k6/metrics`. */
import type { MetricType } from "../messages.ts";
import { bridgeOf, sample } from "./bridge.ts";

class Metric {
  readonly name: string;

  constructor(type: MetricType, name: string, isTime = false) {
    this.name = name;
    bridgeOf().post({ kind: "metric", name, type, isTime });
  }

  add(value: number | boolean, tags?: Readonly<Record<string, string>>): void {
    const number = Number(value);
    if (!Number.isFinite(number)) throw new TypeError(`${this.name}.add: must be a number or a boolean`);
    sample(this.name, number, tags);
  }
}

export class Counter extends Metric {
  constructor(name: string, isTime?: boolean) {
    super("counter", name, isTime);
  }
}

export class Gauge extends Metric {
  constructor(name: string, isTime?: boolean) {
    super("gauge", name, isTime);
  }
}

export class Rate extends Metric {
  constructor(name: string, isTime?: boolean) {
    super("rate", name, isTime);
  }
}

export class Trend extends Metric {
  constructor(name: string, isTime?: boolean) {
    super("trend", name, isTime);
  }
}
