/** Which new fields of what is signed would make approvals of the last release fail at a newer party. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type DescriptorProtoSchema,
  type FieldDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { signedFaults } from "./released-contracts.ts";

type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;
type Message = MessageInitShape<typeof DescriptorProtoSchema>;

const text = (name: string, number: number, more: Field = {}): Field => ({
  ...{ name, number, type: Type.STRING, label: Label.OPTIONAL },
  ...more,
});
const of = (name: string, number: number, typeName: string, label = Label.OPTIONAL): Field => ({
  ...{ name, number, type: Type.MESSAGE, typeName: `.dynamos.v1.${typeName}`, label },
});
const contracts = (...messageType: Message[]) =>
  create(FileDescriptorSetSchema, { file: [{ package: "dynamos.v1", messageType }] });
const approval = (...field: Field[]): Message => ({
  name: "Approval",
  field: [text("query_id", 1), of("terms", 2, "Terms"), ...field],
});
const terms = (...field: Field[]): Message => ({ name: "Terms", field: [text("purpose", 1), ...field] });

const before = contracts(approval(), terms());
const faultsOf = (...messages: Message[]) => signedFaults(before, contracts(...messages));

describe("a new field of what is signed", () => {
  it("is refused where it is always there: it would be in what a newer party verifies", () => {
    expect(faultsOf(approval(text("region", 3)), terms())).toEqual([
      "dynamos.v1.Approval.region is new and always there, so approvals of the last release would not hold: make it optional, or a message",
    ]);
  });

  it("is refused in a message inside one that is signed, and in one that is nested or repeated", () => {
    expect(faultsOf(approval(), terms(text("region", 2)))).toEqual([
      expect.stringContaining("dynamos.v1.Terms.region is"),
    ]);
    const nested = { name: "Inner", field: [text("a", 1), text("b", 2)] };
    const holding = (inner: Message) =>
      contracts({ name: "Approval", field: [of("inner", 3, "Approval.Inner")], nestedType: [inner] });
    expect(signedFaults(holding({ ...nested, field: [text("a", 1)] }), holding(nested))).toEqual([
      expect.stringContaining("dynamos.v1.Approval.Inner.b is"),
    ]);
    expect(faultsOf(approval(of("more", 3, "Terms", Label.REPEATED)), terms())).toEqual([
      expect.stringContaining("dynamos.v1.Approval.more is"),
    ]);
  });

  it("may be optional, a message, or one of a oneof", () => {
    expect(faultsOf(approval(text("region", 3, { oneofIndex: 0, proto3Optional: true })), terms())).toEqual([]);
    expect(faultsOf(approval(text("region", 3, { oneofIndex: 0 })), terms())).toEqual([]);
    // What is new in a message that nobody could have signed can't be missed.
    expect(faultsOf(approval(of("place", 3, "Place")), terms(), { name: "Place", field: [text("name", 1)] })).toEqual(
      [],
    );
  });

  it("may be anything in what is not signed, and nothing is said of what stays", () => {
    expect(faultsOf(approval(), terms(), { name: "Other", field: [text("name", 1)] })).toEqual([]);
    expect(signedFaults(before, before)).toEqual([]);
  });

  it("is found in a message that holds itself", () => {
    const loop = of("more", 2, "Terms");
    expect(faultsOf(approval(), terms(loop, text("late", 3)))).toEqual([expect.stringContaining("Terms.late")]);
  });
});
