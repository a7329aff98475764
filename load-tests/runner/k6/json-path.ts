/** The part of GJSON's paths that scripts here use: names, indexes, and `#` for each. */

/** @throws Error where the body is no JSON, as k6 does */
export function jsonAt(body: string, path?: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Error("the body of the response is no JSON");
  }
  return path === undefined
    ? value
    : path
        .split(".")
        .reduce(stepInto, found([value], false))
        .take();
}

function stepInto({ values, isMany }: Reached, part: string): Found {
  if (part === "#") {
    return found(
      values.flatMap((value) => (Array.isArray(value) ? value : [])),
      true,
    );
  }
  return found(
    values.map((value) => (value as Record<string, unknown> | null | undefined)?.[part]).filter((v) => v !== undefined),
    isMany,
  );
}

interface Reached {
  readonly values: readonly unknown[];
  readonly isMany: boolean;
}

interface Found extends Reached {
  take(): unknown;
}

function found(values: readonly unknown[], isMany: boolean): Found {
  return { values, isMany, take: () => (isMany ? values : values[0]) };
}
