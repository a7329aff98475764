/** Leaves marks wherever a process can, and tells which marks it found. */
import { readdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

interface Found {
  readonly global: unknown;
  readonly environment: string | undefined;
  readonly files: string[];
  readonly workingFolder: string[];
  readonly module: number;
  readonly secret: string | undefined;
  readonly arguments: string[];
}

let calls = 0;

export default defineStep<Found>({
  name: "tell-tale",
  isolation: "single-use",
  accepts: "nothing",
  facts: (envelope, { temporaryFolder }) => {
    const marks = globalThis as { mark?: string };
    const found: Found = {
      global: marks.mark,
      environment: process.env.MARK,
      files: [...readdirSync(temporaryFolder), ...readdirSync(tmpdir())],
      workingFolder: readdirSync("."),
      module: calls,
      secret: process.env.SECRET,
      arguments: process.argv.slice(2),
    };
    calls += 1;
    marks.mark = envelope.queryId;
    process.env.MARK = envelope.queryId;
    writeFileSync(join(temporaryFolder, "mark"), envelope.queryId);
    writeFileSync("mark-in-working-folder", homedir());
    return found;
  },
  decide: (_, found) =>
    forwardResult({
      table: undefined,
      chart: undefined,
      document: { mediaType: "application/json", body: Buffer.from(JSON.stringify(found)) },
    }),
});
