/** Draws a chart of the table that it gets, and keeps the table beside it. */
import type { Envelope, Result, Table } from "#contracts";
import { onlyTableOf } from "#data/input-table";
import { emitTable } from "#data/pass-table";
import { buildTable } from "#data/table-builder";
import { notesOf } from "#data/table-notes";
import { tableSource, wholeTable } from "#data/table-source";
import { viewTable } from "#data/table-view";
import { forwardResult } from "#domain/outcome";
import { smallestGroupOf } from "#domain/smallest-group";
import { defineStep } from "#runtime/define-step";
import { chooseChart } from "./choose-chart.ts";
import { drawChart } from "./draw-chart.ts";

export default defineStep<Result>({
  name: "sql-graph",
  isolation: "single-use",
  accepts: "result",
  // What the table's content causes is thrown here, where a failure may be.
  facts: async (envelope, _context, flow) => {
    const given = onlyTableOf(envelope);
    const isInside = given.transfer === undefined;
    const whole = isInside ? given : await wholeTable(tableSource(given, flow.bytesOf(0)), "a chart");
    const table = isInside ? given : await emitTable(whole, flow.emit);
    return { table, document: documentOf(envelope), chart: { svg: svgOf(whole, smallestGroupOf(envelope.approvals)) } };
  },
  decide: (_, result) => forwardResult(result),
  rehearse: async () => {
    const table = buildTable([
      { name: "group", kind: "text" },
      { name: "value", kind: "double" },
    ]);
    table.push(["a", 1.5]);
    table.push(["b", 2.5]);
    svgOf(table.finish(), 0);
  },
});

/** @param least rows that a bar must stand for where the chart counts rows */
function svgOf(table: Table, least: number): string {
  return drawChart(chooseChart(viewTable(table), notesOf(table), least));
}

/** A document that an algorithm made goes on too. */
function documentOf({ inputs }: Envelope): Result["document"] {
  const content = inputs[0]?.payload?.content;
  return content?.$case === "result" ? content.value.document : undefined;
}
