/**
 * Whether messages of this version and of the last released one may meet, as they do while an installation is
 * upgraded. What the wire needs, `buf breaking` says. What is signed needs more: see below.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fromBinary, isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** Of the last release; before the first one, of the first contracts. */
export const baseline = "proto/baseline.binpb";

/** Messages whose canonical JSON is signed or hashed, with all that is in them (docs/approvals.md). */
const signed = ["dynamos.v1.Approval", "dynamos.v1.Query"];

/**
 * @param isReleased whether the baseline is a release's; before the first one nobody's approvals must hold
 * @returns sentences; none: both versions read each other. @throws Error when buf can't be run
 */
export function contractFaults(home: string, isReleased: boolean): string[] {
  const { status, stdout, stderr } = buf(home, "breaking", "proto", "--against", baseline);
  const broken = status === 0 ? [] : `${stdout}${stderr}`.trim().split("\n");
  if (!isReleased) return broken;
  const before = fromBinary(FileDescriptorSetSchema, readFileSync(join(home, baseline)));
  const now = fromBinary(FileDescriptorSetSchema, buildContracts(home));
  return [...broken, ...signedFaults(before, now)];
}

/** @returns a FileDescriptorSet. @throws Error when the contracts can't be read */
export function buildContracts(home: string): Buffer {
  const { status, stdout, stderr } = buf(home, "build", "proto", "-o", "-#format=binpb");
  if (status !== 0) throw new Error(`the contracts can't be built: ${stderr}`);
  return stdout;
}

const program = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");

function buf(home: string, ...args: string[]) {
  const ran = spawnSync(process.execPath, [program, ...args], { cwd: home });
  if (ran.error) throw new Error(`buf can't be started: ${ran.error.message}`);
  return ran;
}

/**
 * A verifier builds what was signed from the message that it read. A new field that an older signer does not set
 * must leave no trace in that, so it must be able to be absent: `optional`, a message, or one of a oneof.
 */
export function signedFaults(before: FileDescriptorSet, now: FileDescriptorSet): string[] {
  const [older, newer] = [messagesOf(before), messagesOf(now)];
  const faults: string[] = [];
  const seen = new Set<string>();
  const look = (name: string): void => {
    const message = newer.get(name);
    if (message === undefined || seen.has(name)) return;
    seen.add(name);
    const known = older.get(name)?.field.map(({ number }) => number);
    for (const field of message.field) {
      const isNew = known !== undefined && !known.includes(field.number);
      if (isNew && !canBeAbsent(field)) {
        faults.push(
          `${name}.${field.name} is new and always there, so approvals of the last release would not hold: make it optional, or a message`,
        );
      }
      if (field.type === FieldDescriptorProto_Type.MESSAGE) look(field.typeName.slice(1));
    }
  };
  for (const name of signed) look(name);
  return faults;
}

function canBeAbsent(field: FieldDescriptorProto): boolean {
  if (field.label === FieldDescriptorProto_Label.REPEATED) return false;
  // A field that is `optional` is the one of its own oneof.
  const isOneOf = isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex);
  return isOneOf || field.type === FieldDescriptorProto_Type.MESSAGE;
}

/** By full name, nested ones too. */
function messagesOf({ file }: FileDescriptorSet): Map<string, DescriptorProto> {
  const found = new Map<string, DescriptorProto>();
  const add = (prefix: string, message: DescriptorProto): void => {
    const name = `${prefix}.${message.name}`;
    found.set(name, message);
    for (const nested of message.nestedType) add(name, nested);
  };
  for (const one of file) for (const message of one.messageType) add(one.package, message);
  return found;
}
