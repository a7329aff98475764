import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader, frameKinds, frameParts } from "./frame.ts";

const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });

describe("frames", () => {
  it("come out as they went in, however the bytes are cut", () => {
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 17 }), (sent, chunkBytes) => {
        const wire = Buffer.concat(sent.flatMap((body) => frameParts(frameKinds.call, body)));
        const reader = new FrameReader(40);
        const got = [];
        for (let at = 0; at < wire.length; at += chunkBytes) {
          got.push(...reader.push(wire.subarray(at, at + chunkBytes)));
        }
        expect(got.map(({ kind, body }) => [kind, Buffer.from(body)])).toEqual(
          sent.map((body) => [frameKinds.call, Buffer.from(body)]),
        );
      }),
    );
  });

  it("over the limit are refused by their head, before the body comes", () => {
    const [head] = frameParts(frameKinds.reply, new Uint8Array(41));
    expect(() => new FrameReader(40).push(head)).toThrow("a frame of 41 bytes is over the limit of 40");
  });
});
