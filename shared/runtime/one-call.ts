/** The child's side of the frames: rehearsed, called once, read by nobody after that. The door is on descriptor 3. */
import { Socket } from "node:net";
import { limits } from "#domain/limits";
import { ChunkQueue } from "./chunk-queue.ts";
import { type Frame, FrameReader, frameKinds, writeFrame } from "./frame.ts";
import type { Call } from "./step-invoker.ts";

export interface Rehearsal {
  /** A made-up call, which goes to the door and comes back before the worker says ready: warms both directions. */
  readonly call: Uint8Array;
  readonly rehearsed: (call: Uint8Array) => void;
}

export interface OneCall {
  /** Absent: this process is warm already. */
  readonly rehearsal?: Rehearsal;
  /** Never rejects: whatever happens is in the reply. */
  readonly answer: (call: Call) => Promise<Uint8Array>;
  /** Where the door is; absent: at descriptor 3. */
  readonly descriptor?: number;
  /** When the door has closed; absent: the process ends. */
  readonly closed?: () => void;
}

const doorDescriptor = 3;
const noBytes = new Uint8Array(0);
/** A door that sends a second call has lost its senses, or is not our door. */
const secondCallExitCode = 97;

export async function serveOneCall(served: OneCall): Promise<void> {
  const { rehearsal, answer, descriptor: fd = doorDescriptor, closed = () => process.exit(0) } = served;
  const door = new Socket({ fd, readable: true, writable: true });
  const reader = new FrameReader(limits.messageBytesMax);
  const chunks = new ChunkQueue({ pause: () => door.pause(), resume: () => door.resume() });
  let called = false;
  const take = async (frame: Frame): Promise<void> => {
    if (frame.kind === frameKinds.rehearsal) {
      rehearsal?.rehearsed(frame.body);
      await writeFrame(door, frameKinds.ready, noBytes);
    } else if (frame.kind === frameKinds.call && !called) {
      called = true;
      const call = {
        envelope: frame.body,
        chunks,
        take: (chunk: Uint8Array) => writeFrame(door, frameKinds.chunk, chunk),
        handOn: (outcome: Uint8Array) => writeFrame(door, frameKinds.handedOn, outcome),
      };
      await writeFrame(door, frameKinds.reply, await answer(call));
    } else if (frame.kind === frameKinds.chunk) {
      chunks.push(frame.body);
    } else if (frame.kind === frameKinds.inputsEnd) {
      chunks.end();
    } else {
      process.exit(secondCallExitCode);
    }
  };
  door.on("data", (chunk) => {
    for (const frame of reader.push(chunk)) {
      void take(frame);
    }
  });
  door.on("close", closed);
  door.on("error", closed);
  if (rehearsal === undefined) await writeFrame(door, frameKinds.ready, noBytes);
  else await writeFrame(door, frameKinds.rehearsal, rehearsal.call);
}
