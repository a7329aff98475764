const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  m: 1e-3,
};

/** The number that a Kubernetes quantity stands for: `512Mi`, `250m`, `1.5`; bytes of memory, cores of cpu. */
export function quantityOf(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(number || Number.NaN) * (factors[unit] ?? Number.NaN);
}
