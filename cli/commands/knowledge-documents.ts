/** `dynamos knowledge example` and `load`: the first documents of a knowledge base. */
import type { Command } from "commander";
import { demoDataSets } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import { demoDocuments } from "../demo/documents.ts";
import { readDocumentFolder, writeDocumentFolder } from "../knowledge/document-folder.ts";
import { exampleText } from "../print/example-text.ts";
import { isEtcd, knowledgeVariablesHelp, openKnowledge } from "../system/open-knowledge.ts";
import { seed } from "../system/seed.ts";

export function addKnowledgeDocuments(knowledge: Command): void {
  knowledge
    .command("example")
    .description("write the documents of the demo into a folder, to begin with")
    .argument("<folder>", "made where it is not there; no file in it is overwritten")
    .addHelpText("after", exampleText("dynamos knowledge example documents"))
    .action(writeExample);
  knowledge
    .command("load")
    .description("give a new knowledge base its first documents; live ones are never overwritten")
    .argument("<folder>", "with files such as agreements/UVA.json and data-sets/UVA/wageGap.json")
    .requiredOption("--into <url>", "http(s)://HOST:PORT[,…] of the etcd")
    .addHelpText(
      "after",
      exampleText(
        "dynamos knowledge example documents          then change them",
        "dynamos knowledge load documents --into http://127.0.0.1:2379",
        "",
        ...knowledgeVariablesHelp.split("\n"),
        "",
        "Once in the life of a knowledge base. Later changes go over HTTP, by whom they belong to (docs/policy.md)",
      ),
    )
    .action(load);
}

async function writeExample(folder: string): Promise<void> {
  const dataSets = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
  const files = await writeDocumentFolder(folder, [...demoDocuments, ...dataSets]);
  process.stdout.write(`${files.length} documents in ${folder}\n`);
}

async function load(folder: string, { into }: { readonly into: string }): Promise<void> {
  if (!isEtcd(into)) throw new Error(`--into ${into}: must be http(s)://HOST:PORT of an etcd`);
  const documents = await readDocumentFolder(folder);
  const knowledge = openKnowledge(into, process.env);
  try {
    const added = await seed(knowledge, documents);
    process.stdout.write(
      added > 0
        ? `${added} of ${documents.length} documents were new\n`
        : "nothing was new: it had its first documents already, and changes go over HTTP (docs/policy.md)\n",
    );
  } finally {
    await knowledge.close();
  }
}
