import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newKey } from "./new-key.ts";
import { createSigningKeyFile } from "./signing-key-file.ts";

const folder = mkdtempSync(join(tmpdir(), "dynamos-signing-key-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (kid: string) => JSON.stringify({ ...newKey().export({ format: "jwk" }), kid });
const path = join(folder, "approval-key");
/** Long after the file was last changed. */
const later = () => Date.now() + 60_000;

describe("the file of the key that signs approvals", () => {
  it("is read once while it is as it was", async () => {
    writeFileSync(path, text("one"));
    const keyIn = createSigningKeyFile(later);
    const first = await keyIn(path);
    expect(first.kid).toBe("one");
    expect(await keyIn(path)).toBe(first);
  });

  it("counts at once when it is changed in its place, or another one is put there", async () => {
    writeFileSync(path, text("one"));
    const keyIn = createSigningKeyFile(later);
    expect((await keyIn(path)).kid).toBe("one");
    expect((await keyIn(path)).kid).toBe("one");
    writeFileSync(path, text("two"));
    expect((await keyIn(path)).kid).toBe("two");
    writeFileSync(`${path}.next`, text("six"));
    renameSync(`${path}.next`, path);
    expect((await keyIn(path)).kid).toBe("six");
  });

  it("is read each time while it has changed so lately that its times may not tell the next change", async () => {
    writeFileSync(path, text("one"));
    const keyIn = createSigningKeyFile();
    expect(await keyIn(path)).not.toBe(await keyIn(path));
  });

  it("is not believed when it is gone", async () => {
    writeFileSync(path, text("one"));
    const keyIn = createSigningKeyFile(later);
    await keyIn(path);
    rmSync(path);
    await expect(keyIn(path)).rejects.toThrow(/can't be read \(ENOENT\)/);
  });
});
