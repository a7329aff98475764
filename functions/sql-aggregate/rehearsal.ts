/** Made-up input with which the step runs once before it says that it is ready. */
import { buildTable } from "#data/table-builder";
import { sourceOf } from "#data/table-source";
import type { ProviderTable } from "./unite-tables.ts";

export function rehearsalTables(): ProviderTable[] {
  return ["A", "B"].map((provider) => {
    const table = buildTable([
      { name: "name", kind: "text" },
      { name: "value", kind: "int64" },
    ]);
    table.push(["a", 1n]);
    return { provider, source: sourceOf(table.finish()) };
  });
}
