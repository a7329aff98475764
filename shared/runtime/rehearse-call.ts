/** A whole call in one process: the door's end of it is played here. */
import { Socket } from "node:net";
import { encodeChunk } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { FrameReader, frameKinds, writeFrame } from "./frame.ts";
import { type OneCall, type Rehearsal, serveOneCall } from "./one-call.ts";

/** @param pair of connected descriptors @returns when both are closed */
export async function rehearseOneCall(
  [ours, doors]: readonly [number, number],
  call: OneCall & { readonly rehearsal: Rehearsal },
): Promise<void> {
  const door = new Socket({ fd: doors, readable: true, writable: true });
  const reader = new FrameReader(limits.messageBytesMax);
  door.on("error", () => {});
  door.on("data", (bytes) => {
    for (const { kind, body } of reader.push(bytes)) {
      if (kind === frameKinds.rehearsal) void writeFrame(door, frameKinds.rehearsal, body);
      else if (kind === frameKinds.ready) void sendCall(door, call.rehearsal.call);
      else if (kind === frameKinds.reply) door.destroy();
    }
  });
  const doorClosed = new Promise<void>((resolve) => door.once("close", () => resolve()));
  await new Promise<void>((closed) => void serveOneCall({ ...call, descriptor: ours, closed }));
  await doorClosed;
}

async function sendCall(door: Socket, envelope: Uint8Array): Promise<void> {
  await writeFrame(door, frameKinds.call, envelope);
  await writeFrame(door, frameKinds.chunk, encodeChunk(0, Buffer.alloc(4_096)));
  await writeFrame(door, frameKinds.inputsEnd, Buffer.alloc(0));
}
