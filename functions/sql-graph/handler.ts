/** Draws a chart of the table that it gets, and keeps the table beside it. */
import type { Envelope, Result, Table } from "#contracts";
import { onlyTableOf } from "#data/input-table";
import { buildTable } from "#data/table-builder";
import { notesOf } from "#data/table-notes";
import { viewTable } from "#data/table-view";
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";
import { chooseChart } from "./choose-chart.ts";
import { drawChart } from "./draw-chart.ts";

export default defineStep<Result>({
  name: "sql-graph",
  isolation: "single-use",
  accepts: "result",
  // All of it is pure, and what the table's content causes is thrown here, where a failure may be.
  facts: (envelope) => ({ ...inputOf(envelope), chart: { svg: svgOf(onlyTableOf(envelope)) } }),
  decide: (_, result) => forwardResult(result),
  rehearse: async () => {
    const table = buildTable([
      { name: "group", kind: "text" },
      { name: "value", kind: "double" },
    ]);
    table.push(["a", 1.5]);
    table.push(["b", 2.5]);
    svgOf(table.finish());
  },
});

function svgOf(table: Table): string {
  return drawChart(chooseChart(viewTable(table), notesOf(table)));
}

/** A document that an algorithm made goes on too. */
function inputOf({ inputs }: Envelope): Omit<Result, "chart"> {
  const content = inputs[0]?.payload?.content;
  const result = content?.$case === "result" ? content.value : undefined;
  return { table: result?.table, document: result?.document };
}
