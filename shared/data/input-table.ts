/** The table that a step gets from the step before it. */
import { type Envelope, ErrorCode, type Input, type Table } from "#contracts";
import { DynamosError } from "#errors";

/** @throws DynamosError ENVELOPE_INVALID when there is not exactly one input, or no table in it; what failed before, as it failed */
export function onlyTableOf(envelope: Envelope): Table {
  const [input, ...more] = envelope.inputs;
  if (input === undefined || more.length > 0) {
    const message = `${envelope.step || "the step"} takes one input, not ${envelope.inputs.length}`;
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, message);
  }
  if (input.failure !== undefined) throw DynamosError.fromFailure(input.failure);
  return tableOfInput(input);
}

/** @throws DynamosError ENVELOPE_INVALID */
export function tableOfInput({ provider, payload }: Input): Table {
  const table = payload?.content?.$case === "result" ? payload.content.value.table : undefined;
  if (table === undefined) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, `the input of ${provider || "the step before"} holds no table`);
  }
  return table;
}
