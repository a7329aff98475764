/**
 * What a door reads of an envelope. It passes over the payload: a table of 64 MB is neither
 * decoded nor copied here, and the contracts' codecs stay out of the door's bundle.
 * Field numbers: proto/dynamos/v1/envelope.proto; envelope-head.test.ts holds them to it.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { PayloadKind } from "./define-step.ts";

export interface EnvelopeHead {
  readonly step: string;
  /** Milliseconds since the epoch; 0: not set. */
  readonly deadlineMs: number;
  /** `failure`: in place of a payload, that provider's chain failed. */
  readonly inputs: readonly (PayloadKind | "failure")[];
}

const payloadKinds: Readonly<Record<number, PayloadKind>> = { 1: "result", 2: "decision", 3: "plan" };

/** @throws Error when the bytes are not a protobuf message of this shape */
export function readEnvelopeHead(bytes: Uint8Array): EnvelopeHead {
  const reader = new BinaryReader(bytes);
  const head = { step: "", deadlineMs: 0, inputs: [] as (PayloadKind | "failure")[] };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 3 && type === WireType.LengthDelimited) {
      head.step = reader.string();
    } else if (field === 7 && type === WireType.Varint) {
      head.deadlineMs = Number(reader.int64());
    } else if (field === 14 && type === WireType.LengthDelimited) {
      head.inputs.push(inputKind(reader.bytes()));
    } else {
      reader.skip(type, field);
    }
  }
  return head;
}

function inputKind(bytes: Uint8Array): PayloadKind | "failure" {
  const reader = new BinaryReader(bytes);
  let kind: PayloadKind | "failure" = "nothing";
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 2 && type === WireType.LengthDelimited) {
      kind = payloadKind(reader.bytes());
    } else {
      if (field === 3 && kind === "nothing") {
        kind = "failure";
      }
      reader.skip(type, field);
    }
  }
  return kind;
}

function payloadKind(bytes: Uint8Array): PayloadKind {
  const reader = new BinaryReader(bytes);
  let kind: PayloadKind = "nothing";
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    kind = payloadKinds[field] ?? kind;
    reader.skip(type, field);
  }
  return kind;
}
