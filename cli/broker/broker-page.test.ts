/** What docs/broker.md and k8s/broker say is what the code makes. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type BrokerRights, brokerRights } from "#domain/broker-permissions";
import type { TopicPattern } from "#domain/topic-pattern";
import { definitionsOf } from "./definitions.ts";
import { readParties } from "./read-parties.ts";

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const parties = await readParties(at("k8s/broker/parties.json").pathname);

const code = (name: string) => `\`${name}\``;
const listed = (patterns: readonly TopicPattern[]) =>
  patterns
    .map(
      ({ pattern, except = [] }) =>
        code(pattern) + (except.length === 0 ? "" : ` (not ${except.map(code).join(", ")})`),
    )
    .join(", ");

function rowOf({ user, sends, reads, declares }: BrokerRights): string {
  const receivers = [...new Set(sends.map(({ to }) => to))];
  const sent = receivers.map((to) => `to ${to}: ${listed(sends.filter((one) => one.to === to))}`).join("<br>");
  return `| ${user} | ${sent} | ${listed(reads)} | ${listed(declares)} |`;
}

describe("docs/broker.md", () => {
  it("has the table of what each party of the example may do", async () => {
    const page = await readFile(at("docs/broker.md"), "utf8");
    const table = [
      "| user | sends | reads | declares |",
      "|---|---|---|---|",
      ...brokerRights(parties).map(rowOf),
    ].join("\n");
    expect(page).toContain(`\n${table}\n`);
  });
});

describe("k8s/broker/definitions.json", () => {
  it("is what the command makes of the parties beside it", async () => {
    const made = definitionsOf({ parties, vhost: "dynamos", passwordHashes: new Map() });
    expect(JSON.parse(await readFile(at("k8s/broker/definitions.json"), "utf8"))).toEqual(made);
  });
});
