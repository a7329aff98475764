/** Label selectors: of Kubernetes objects, and in kustomize's text form. */

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** An empty selector matches all. @throws RangeError for an operator that Kubernetes does not have */
export function labelsMatch(selector: Selector, labels: Readonly<Record<string, string>> = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          throw new RangeError(`selector operator ${operator} is none`);
      }
    })
  );
}

/** `key=value` or `key in (a, b)`; others are not used here. @throws RangeError */
export function readSelector(text: string): Selector {
  const [, key = "", equal, list] = /^\s*([^\s=]+)\s*(?:=\s*([^\s=]+)|in\s*\(([^)]+)\))\s*$/.exec(text) ?? [];
  if (key === "") throw new RangeError(`labelSelector ${text} must be KEY=VALUE or KEY in (VALUE, …)`);
  const values = (equal ?? list ?? "").split(",").map((value) => value.trim());
  return { matchExpressions: [{ key, operator: "In", values }] };
}
