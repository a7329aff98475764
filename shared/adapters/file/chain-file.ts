/** The file of a chain that is written now: bytes at its end, durable or not there. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";

/** A write is over when its bytes are durable, as after an fdatasync of its own, which would be one more way to the disk. */
const durably = constants.O_RDWR | constants.O_APPEND | constants.O_DSYNC;

/** Whoever else writes or removes the file is noticed by its size and its links. */
export class ChainFile {
  readonly path: string;
  /** Where the next bytes go: all before are durable. */
  size: number;
  private handle: FileHandle | undefined;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.handle = handle;
    this.size = size;
  }

  /** A new one, whose name is durable too. @throws Error when there is one */
  static async create(path: string): Promise<ChainFile> {
    const file = new ChainFile(path, await open(path, durably | constants.O_CREAT | constants.O_EXCL, 0o600), 0);
    await syncFolder(dirname(path));
    return file;
  }

  /** One that is there; what is behind `size` is cut off. */
  static async reopen(path: string, size: number): Promise<ChainFile> {
    const file = new ChainFile(path, await openThere(path), size);
    try {
      await file.cut();
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Resolves when the bytes are durable. Rejected, the file is to be repaired before it is written again. */
  async append(bytes: Uint8Array): Promise<void> {
    const handle = await this.opened();
    await handle.appendFile(bytes);
    const { size, nlink } = await handle.stat();
    if (nlink === 0) throw new Error("the file was removed");
    if (size !== this.size + bytes.length) throw new Error("another process wrote to the file");
    this.size = size;
  }

  /** After a failure nothing is known of what was written: opened anew, without what is not durable. */
  async repair(): Promise<void> {
    await this.close();
    this.handle = await openThere(this.path);
    await this.cut();
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close().catch(() => {});
  }

  private async opened(): Promise<FileHandle> {
    if (this.handle === undefined) throw new Error("the file is closed");
    return this.handle;
  }

  private async cut(): Promise<void> {
    const handle = await this.opened();
    const { size } = await handle.stat();
    if (size < this.size) throw new Error(`${this.size - size} bytes of the file are missing`);
    if (size === this.size) return;
    await handle.truncate(this.size);
    await handle.datasync();
  }
}

/** Not made anew where it is gone: a record does not begin in its middle. */
function openThere(path: string): Promise<FileHandle> {
  return open(path, durably);
}

/** A name in a folder is durable when the folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
