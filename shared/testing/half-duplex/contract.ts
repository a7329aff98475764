/** Tables of any size through what is in front of a function, which passes a request on only until its answer begins. */
import { expect, it } from "vitest";
import { chunkBytes, chunksSha256, decisionOf, passOnBody, postPieces } from "../passed-table.ts";

/** @param url of the function `pass-on`, behind what is tested */
export function halfDuplexContract(url: () => string): void {
  it.each([1, 4, 60])("a table of %i chunks comes out as it went in", async (chunks) => {
    const passed = await postPieces(url(), passOnBody(chunks));
    expect(decisionOf(passed)).toBe("forward");
    expect(passed).toMatchObject({ status: 200, bytes: chunks * chunkBytes, sha256: chunksSha256(chunks) });
    expect(passed.wasSent).toBe(true);
  });

  it.each([
    ["fails in the middle", "fail", "DATA_UNREADABLE"],
    ["dies in the middle", "crash", "WORKER_CRASHED"],
    ["needs only the first of it", "ignore", "forward"],
  ])("when the step %s, its outcome comes, and the next call is answered", async (_, how, decision) => {
    for (let time = 0; time < 3; time++) {
      expect(decisionOf(await postPieces(url(), passOnBody(60, how)))).toBe(decision);
      expect(decisionOf(await postPieces(url(), passOnBody(2)))).toBe("forward");
    }
  });
}
