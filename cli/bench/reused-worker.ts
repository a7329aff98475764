/** A worker that stays: no isolation at all, the most that the same code can do. The door is on descriptor 3. */
import { Socket } from "node:net";
import { limits } from "#domain/limits";
import { FrameReader, frameKinds, writeFrame } from "#runtime/frame";
import { runStep } from "#runtime/run-step";
import { noChunks } from "#runtime/table-flow";
import step from "./mean-step.ts";

const door = new Socket({ fd: 3, readable: true, writable: true });
const reader = new FrameReader(limits.messageBytesMax);
const context = { environment: {}, now: Date.now, temporaryFolder: "" };

async function answer(envelope: Uint8Array): Promise<void> {
  const call = { envelope, chunks: noChunks(), take: async () => {} };
  await writeFrame(door, frameKinds.reply, await runStep(step, call, context, () => {}));
}

door.on("data", (bytes) => {
  for (const frame of reader.push(bytes)) if (frame.kind === frameKinds.call) void answer(frame.body);
});
door.on("close", () => process.exit(0));
