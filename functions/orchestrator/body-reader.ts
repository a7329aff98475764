/** So many bodies at once and no more: under a crowd of slow senders memory has a bound before anything is admitted. */
import type { Context } from "hono";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { readJson } from "./read-json.ts";

export interface BodyReader {
  /** As `readJson`. @throws DynamosError OVERLOADED, and what `readJson` throws */
  read(c: Context, bytesMax?: number): Promise<unknown>;
}

export function createBodyReader(atOnceMax: number): BodyReader {
  let reading = 0;
  return {
    read: async (c, bytesMax) => {
      if (reading >= atOnceMax) {
        throw new DynamosError(ErrorCode.OVERLOADED, `${reading} requests are being read, come back in a moment`);
      }
      reading += 1;
      try {
        return await readJson(c, bytesMax);
      } finally {
        reading -= 1;
      }
    },
  };
}
