/** Made-up input with which the step runs once before it says that it is ready. */
import { rehearsalTable } from "#data/rehearsal-table";
import { sourceOf } from "#data/table-source";
import type { ProviderTable } from "./unite-tables.ts";

export function rehearsalTables(): ProviderTable[] {
  const table = rehearsalTable([
    { name: "name", kind: "text" },
    { name: "value", kind: "int64" },
  ]);
  return ["A", "B"].map((provider) => ({ provider, source: sourceOf(table) }));
}
