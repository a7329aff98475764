/** Which transfers a message refers to: they live as long as it does. */
import type { Envelope, Input, Outcome, Reply, Result, Table, Transfer } from "#contracts";

export interface TransferredInput {
  /** Position among the envelope's inputs. */
  readonly index: number;
  readonly transfer: Transfer;
}

export function transferredInputs(inputs: readonly Input[]): TransferredInput[] {
  return inputs.flatMap(({ payload }, index) => {
    const content = payload?.content;
    const transfer = content?.$case === "result" ? content.value.table?.transfer : undefined;
    // Without a name it is nowhere but in a process.
    return transfer === undefined || transfer.name === "" ? [] : [{ index, transfer }];
  });
}

export function transferNames(inputs: readonly Input[]): string[] {
  return transferredInputs(inputs).map(({ transfer }) => transfer.name);
}

export function replyTransfers({ content }: Reply): string[] {
  const transfer = content?.$case === "result" ? content.value.table?.transfer : undefined;
  return transfer === undefined ? [] : [transfer.name];
}

export function outcomeTransfers({ decision }: Outcome): string[] {
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  const transfer = content?.$case === "result" ? content.value.table?.transfer : undefined;
  return transfer === undefined || transfer.name === "" ? [] : [transfer.name];
}

/** The same result over a table that lies elsewhere. */
export function withTransfer(result: Result, transfer: Transfer): Result {
  return { ...result, table: result.table && { ...result.table, transfer } };
}

/** As a function sees it: it gets the bytes, and needs no name of the broker's. */
export function withoutNames(envelope: Envelope): Envelope {
  return { ...envelope, inputs: envelope.inputs.map(unnamed) };
}

function unnamed(input: Input): Input {
  const content = input.payload?.content;
  const transfer = content?.$case === "result" ? content.value.table?.transfer : undefined;
  if (content?.$case !== "result" || transfer === undefined) return input;
  const value = withTransfer(content.value, { ...transfer, name: "" });
  return { ...input, payload: { content: { $case: "result", value } } };
}

/** What a step says of a table whose bytes it has emitted. */
export function isEmitted(table: Table | undefined): boolean {
  return table?.transfer !== undefined;
}
