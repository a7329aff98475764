/** A system of so many providers, each as the demo's VU: its functions, agreement, data and name. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { demoDataSets } from "#data/demo-data";
import { agreementKey, dataSetKey, partyKey } from "#domain/knowledge-keys";
import { demoDocuments } from "../demo/documents.ts";
import { exchangeParty, partyOf } from "../stack/parties.ts";
import type { Stack, StackFunction } from "../stack/read-stack.ts";
import { neededStack } from "./bench-system.ts";
import { type DemoData, makeDemoData } from "./demo-bench-data.ts";

export interface ManyParties extends DemoData {
  readonly stack: Stack;
  readonly providers: readonly string[];
}

const model = "VU";
/** What computeToData at one of them needs; the step that nobody demands is left out. */
const needed = /-(sql-query|sql-algorithm)$/;

export async function manyParties(count: number): Promise<ManyParties> {
  const providers = Array.from({ length: count }, (_, at) => `P${at + 1}`);
  const demo = await makeDemoData();
  for (const table of ["Personen", "Aanstellingen"]) {
    for (const party of providers) {
      await copyFile(join(demo.folder, `${table}_${model}.csv`), join(demo.folder, `${table}_${party}.csv`));
    }
  }
  const stack = await neededStack();
  const models = stack.functions.filter((fn) => partyOf(fn) === model && needed.test(fn.name));
  const functions = [
    ...stack.functions.filter((fn) => partyOf(fn) === exchangeParty),
    ...providers.flatMap((party) => models.map((fn) => functionAt(party, fn))),
  ];
  return { ...demo, stack: { ...stack, functions }, providers, documents: documentsOf(providers) };
}

function functionAt(party: string, fn: StackFunction): StackFunction {
  const prefix = new RegExp(`^${model.toLowerCase()}(?=[-.])`);
  const named = (text: string) => text.replace(prefix, party.toLowerCase());
  const topic = named(fn.annotations.topic ?? "");
  return { ...fn, name: named(fn.name), annotations: { ...fn.annotations, topic, "com.dynamos.party": party } };
}

function documentsOf(providers: readonly string[]): DemoData["documents"] {
  const agreement = demoDocuments.find(({ key }) => key === agreementKey(model))?.value as object;
  const dataSet = demoDataSets.find(({ party }) => party === model);
  const common = demoDocuments.filter(({ key }) => !key.startsWith(agreementKey("")));
  return [
    ...common,
    ...providers.flatMap((party) => [
      { key: partyKey(party), value: { name: party, roles: ["dataProvider"] } },
      { key: agreementKey(party), value: { ...agreement, name: party } },
      {
        key: dataSetKey(party, dataSet?.name ?? ""),
        value: {
          ...dataSet,
          party,
          tables: dataSet?.tables.map((table) => ({ ...table, file: table.file.replace(`_${model}.`, `_${party}.`) })),
        },
      },
    ]),
  ];
}
