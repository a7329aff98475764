/** The bytes of a result's table, wherever they are. */
import { ErrorCode, type Table, type Transfer } from "#contracts";
import { type TableSource, tableSource } from "#data/table-source";
import { DynamosError } from "#errors";
import { checkedTransfer, type SidecarApi } from "#sidecar/client";

export type TableReader = Pick<SidecarApi, "readTransfer">;

/**
 * @param signal fires when no more is wanted: Arrow's readers do not tell their source
 * @throws DynamosError ENVELOPE_INVALID; its batches also TRANSFER_LOST, BROKER_UNAVAILABLE, CANCELLED
 */
export function openTable(table: Table, reader: TableReader, signal: AbortSignal): TableSource {
  const { transfer } = table;
  if (transfer === undefined) return counted(tableSource(table, once(table.arrowIpc)));
  const bytes = verified(transfer, reader, signal);
  signal.addEventListener("abort", () => void bytes.return(undefined).catch(() => {}), { once: true });
  return tableSource(table, bytes);
}

/** Its number of rows is told before they come. That of a transfer is compared where it is read. */
function counted(source: TableSource): TableSource {
  async function* batches() {
    let rows = 0;
    for await (const batch of source.batches()) {
      rows += batch.numRows;
      yield batch;
    }
    if (rows === source.rows) return;
    const message = `a result has ${rows} rows and says ${source.rows}: its step is to count what it writes`;
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, message);
  }
  return { ...source, batches };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* verified(transfer: Transfer, reader: TableReader, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { name, chunks } = transfer;
  const shortOf = (read: number) =>
    new DynamosError(ErrorCode.TRANSFER_LOST, `only ${read} of ${chunks} chunks of a table are there`);
  for await (const chunk of checkedTransfer(transfer, reader.readTransfer(name, signal), shortOf)) {
    if (signal.aborted) throw new DynamosError(ErrorCode.CANCELLED, "nobody reads this table any more");
    yield chunk;
  }
}
