/** A single-use step that hands on its input's table as it comes, and goes wrong where the SQL says so. */
import { ErrorCode } from "#contracts";
import { forwardResult } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";

const refusedAfterBytes = 1_000_000;

export default defineStep<number>({
  name: "pass-on",
  isolation: "single-use",
  accepts: "result",
  facts: async ({ query }, _context, { bytesOf, emit }) => {
    let bytes = 0;
    for await (const part of bytesOf(0)) {
      bytes += part.length;
      if (query?.sql === "ignore") break;
      if (query?.sql === "crash" && bytes > refusedAfterBytes) process.exit(7);
      if (query?.sql === "fail" && bytes > refusedAfterBytes) {
        throw new DynamosError(ErrorCode.DATA_UNREADABLE, "half of it can't be read");
      }
      await emit(part);
    }
    return bytes;
  },
  decide: (_, rows) => {
    const transfer = { name: "", chunks: 0, bytes: 0, sha256: Buffer.alloc(0) };
    return forwardResult({
      table: { arrowIpc: Buffer.alloc(0), rows, transfer },
      chart: undefined,
      document: undefined,
    });
  },
});
