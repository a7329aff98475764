/** What both adapters do with bytes too many for a message. Part of the broker contract. */
import { describe, expect, it } from "vitest";
import type { Transfers } from "#ports/transfers";
import type { Opened } from "./broker-contract/kit.ts";

const target = { from: "UVA", to: "SURF", expiresInMs: 20_000 };
const never = new AbortController().signal;

async function write(transfers: Transfers, chunks: readonly Uint8Array[], expiresInMs = 20_000): Promise<string> {
  const writer = await transfers.open({ ...target, expiresInMs });
  for (const chunk of chunks) await writer.write(chunk);
  await writer.end();
  return writer.name;
}

async function readAll(transfers: Transfers, name: string): Promise<number[][]> {
  const chunks: number[][] = [];
  for await (const chunk of transfers.read(name, never)) chunks.push([...chunk]);
  return chunks;
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => new Uint8Array([i >> 8, i & 255]));

export function transfersContract(opened: () => Opened): void {
  describe("a transfer", () => {
    it("gives its chunks in the order in which they were written, also to another connection", async () => {
      const { broker, world } = opened();
      const name = await write(broker.transfers, numbered(300));
      const reader = await world.connect("SURF");
      expect(await readAll(reader.transfers, name)).toEqual(numbered(300).map((chunk) => [...chunk]));
    });

    it("is named after who writes and who reads it, and never twice the same", async () => {
      const { transfers } = opened().broker;
      const names = [await write(transfers, []), await write(transfers, [])];
      expect(names[0]).toMatch(/^transfer\.uva\.surf\.[^.]+$/);
      expect(names[0]).not.toBe(names[1]);
    });

    it("is named by an id where one is given, so that others find it", async () => {
      const { transfers } = opened().broker;
      const writer = await transfers.open({ ...target, id: "known" });
      await writer.write(new Uint8Array([7]));
      await writer.end();
      expect(await readAll(transfers, "transfer.uva.surf.known")).toEqual([[7]]);
      await transfers.drop(writer.name);
    });

    it("can be read again from its start, also after a reader that left in the middle", async () => {
      const { transfers } = opened().broker;
      const name = await write(transfers, numbered(20));
      for await (const chunk of transfers.read(name, never)) {
        if (chunk[1] === 7) break;
      }
      expect(await readAll(transfers, name)).toHaveLength(20);
      expect(await readAll(transfers, name)).toHaveLength(20);
    });

    it("keeps what was written when the writer reuses its buffer", async () => {
      const { transfers } = opened().broker;
      const writer = await transfers.open(target);
      const buffer = new Uint8Array([1]);
      await writer.write(buffer.slice());
      buffer[0] = 2;
      await writer.write(buffer.slice());
      await writer.end();
      expect(await readAll(transfers, writer.name)).toEqual([[1], [2]]);
    });

    it("is lost by name once it was dropped, and dropping again is no error", async () => {
      const { transfers } = opened().broker;
      const name = await write(transfers, numbered(2));
      await transfers.drop(name);
      await transfers.drop(name);
      await expect(readAll(transfers, name)).rejects.toMatchObject({ label: "TRANSFER_LOST" });
    });

    it("expires when nobody uses it", async () => {
      const { transfers } = opened().broker;
      const name = await write(transfers, numbered(2), 50);
      await expect
        .poll(() => readAll(transfers, name).then(String, (error) => error.label), { timeout: 5_000, interval: 200 })
        .toBe("TRANSFER_LOST");
    });

    it("stays for as long as somebody renews it, and is lost by name when it is renewed too late", async () => {
      const { broker, world } = opened();
      const name = await write(broker.transfers, numbered(2), 1_000);
      const { transfers } = await world.connect("SURF");
      for (let i = 0; i < 8; i++) {
        await new Promise((resume) => setTimeout(resume, 300));
        await transfers.renew(name);
      }
      expect(await readAll(transfers, name)).toHaveLength(2);
      await transfers.drop(name);
      await expect(transfers.renew(name)).rejects.toMatchObject({ label: "TRANSFER_LOST" });
    });

    it("stops when its reader's signal fires", async () => {
      const { transfers } = opened().broker;
      const name = await write(transfers, numbered(20));
      const controller = new AbortController();
      const read = async () => {
        for await (const _ of transfers.read(name, controller.signal)) controller.abort();
      };
      await expect(read()).rejects.toMatchObject({ label: "CANCELLED" });
    });
  });
}
