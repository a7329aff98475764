/**
 * What a door reads and writes of an outcome, again without the contracts' codecs.
 * Field numbers: proto/dynamos/v1/envelope.proto, policy.proto, error.proto; held by the test.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ErrorCode, Failure } from "#contracts";
import { rowOf } from "#errors";

const okStatus = 200;
const decisions = { forward: 1, fanOut: 2, refusal: 3, failure: 4, comparison: 5 } as const;
const goingOn: readonly number[] = [decisions.forward, decisions.fanOut, decisions.comparison];

/** The bytes of an outcome that is this failure. */
export function encodeFailure(failure: Failure): Uint8Array {
  const writer = new BinaryWriter().tag(decisions.failure, WireType.LengthDelimited).fork();
  Failure.encode(failure, writer);
  return writer.join().finish();
}

/**
 * 200 for a forward, a fan-out or a comparison, for a refusal the status of its first reason's code, for a
 * failure that of its own.
 * @throws Error when the bytes are not an outcome
 */
export function statusOf(outcome: Uint8Array): number {
  const reader = new BinaryReader(outcome);
  let status = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== WireType.LengthDelimited) {
      throw new Error("not an outcome");
    }
    const bytes = reader.bytes();
    if (goingOn.includes(field)) {
      status = okStatus;
    } else if (field === decisions.refusal) {
      status = rowOf(firstReasonCode(bytes)).httpStatus;
    } else if (field === decisions.failure) {
      status = rowOf(firstCode(bytes)).httpStatus;
    }
  }
  if (status === 0) {
    throw new Error("an outcome without a decision");
  }
  return status;
}

function firstReasonCode(refusal: Uint8Array): ErrorCode {
  const reader = new BinaryReader(refusal);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.LengthDelimited) {
      return firstCode(reader.bytes());
    }
    reader.skip(type, field);
  }
  return ErrorCode.DENIED;
}

/** Both Reason and Failure have their code in field 1. */
function firstCode(bytes: Uint8Array): ErrorCode {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.Varint) {
      return reader.int32();
    }
    reader.skip(type, field);
  }
  return ErrorCode.UNSPECIFIED;
}
