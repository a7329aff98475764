/**
 * What the fork server needs of the system and Node has no function for: libc and libuv through koffi, whose
 * native part lies beside the bundle. Linux on 64-bit little-endian machines; elsewhere it is not tried.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { checkSocketPath } from "./fork-protocol.ts";

export interface ForkCalls {
  /** 0 in the child, its pid in the parent, -1: not possible. */
  fork(): number;
  /** Makes the event loop the child's own. @returns 0: done */
  adoptLoop(): number;
  getpid(): number;
  getppid(): number;
  setsid(): number;
  /** For ever. */
  exitNow(code: number): void;
  dup3(from: number, to: number, flags: number): number;
  close(descriptor: number): number;
  /** @param address sockaddr_un @returns the connected descriptor, -1: not possible */
  connectTo(address: Buffer): number;
  socketPair(): readonly [number, number];
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  unshare(flags: number): number;
  mount(source: string, target: string, kind: string | null, flags: number, data: string | null): number;
  setrlimit(resource: number, limit: Buffer): number;
  /** @param program of struct sock_filter, eight bytes each @returns 0: in force */
  installFilter(program: Buffer): number;
  /** @returns the status as wait(2) gives it, undefined while it lives */
  reap(pid: number): number | undefined;
  /** Waits for it. @returns the same */
  waitFor(pid: number): number;
  /** Gives back to the system what malloc holds and nobody uses, where the C library can. */
  trimMemory(): void;
  /** Makes all private memory go along in the next fork. */
  copyMemoryInForks(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: the types of a foreign function are in its text.
type Foreign = (...values: any[]) => number;

interface Koffi {
  load(path: null): { func(prototype: string): Foreign };
  address(value: unknown): bigint;
}

const unix = { family: 1, stream: 1, closeOnExec: 0o2000000 } as const;
const doFork = 11;
const noHang = 1;
const [setSeccomp, seccompFilter] = [22, 2] as const;

/** @param nativeFile koffi's, for this platform @throws when it can't be loaded or lacks a function */
export function loadForkCalls(nativeFile: string): ForkCalls {
  const native: { exports: unknown } = { exports: {} };
  process.dlopen(native, nativeFile);
  const koffi = native.exports as Koffi;
  const library = koffi.load(null);
  const call = (prototype: string) => library.func(prototype);
  const [socket, connect, socketpair] = [
    call("int socket(int, int, int)"),
    call("int connect(int, void *, uint32_t)"),
    call("int socketpair(int, int, int, void *)"),
  ];
  const [waitpid, close] = [call("int waitpid(int, void *, int)"), call("int close(int)")];
  const loop = call("void *uv_default_loop()")();
  const loopFork = call("int uv_loop_fork(void *)");
  const madvise = call("int madvise(uintptr_t, size_t, int)");
  const prctl = call("int prctl(int, uintptr_t, uintptr_t, uintptr_t, uintptr_t)");
  const installer = call("int prctl(int, uintptr_t, void *, uintptr_t, uintptr_t)");
  const trimMemory = trimmer(call);
  const status = Buffer.alloc(4);
  const maps = memoryMaps();
  return {
    fork: call("int fork()"),
    adoptLoop: () => loopFork(loop),
    getpid: call("int getpid()"),
    getppid: call("int getppid()"),
    setsid: call("int setsid()"),
    exitNow: call("void _exit(int)"),
    dup3: call("int dup3(int, int, int)"),
    close,
    connectTo(address) {
      const descriptor = socket(unix.family, unix.stream | unix.closeOnExec, 0);
      if (descriptor >= 0 && connect(descriptor, address, address.length) !== 0) {
        close(descriptor);
        return -1;
      }
      return descriptor;
    },
    socketPair() {
      const pair = Buffer.alloc(8);
      if (socketpair(unix.family, unix.stream | unix.closeOnExec, 0, pair) !== 0) throw new Error("no socketpair");
      return [pair.readInt32LE(0), pair.readInt32LE(4)];
    },
    prctl,
    unshare: call("int unshare(int)"),
    mount: call("int mount(const char *, const char *, const char *, uintptr_t, const char *)"),
    setrlimit: call("int setrlimit(int, void *)"),
    installFilter(program) {
      const header = Buffer.alloc(16);
      header.writeUInt16LE(program.length / 8, 0);
      header.writeBigUInt64LE(koffi.address(program), 8);
      return installer(setSeccomp, seccompFilter, header, 0, 0);
    },
    reap: (pid) => (waitpid(pid, status, noHang) === pid ? status.readInt32LE(0) : undefined),
    waitFor(pid) {
      while (waitpid(pid, status, 0) !== pid);
      return status.readInt32LE(0);
    },
    trimMemory,
    copyMemoryInForks() {
      // Of what V8 maps meanwhile a fork would have nothing.
      do maps.forEachPrivate((start, end) => madvise(start, end - start, doFork));
      while (maps.haveChanged());
    },
  };
}

/** glibc's own; others have none. */
function trimmer(call: (prototype: string) => Foreign): () => void {
  try {
    const trim = call("int malloc_trim(size_t)");
    return () => trim(0);
  } catch {
    return () => {};
  }
}

/** struct sockaddr_un. @throws RangeError when the path is too long for one */
export function socketAddress(path: string): Buffer {
  checkSocketPath(path);
  const bytes = Buffer.from(`${path}\0`);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(unix.family, 0);
  return Buffer.concat([family, bytes]);
}

/** The process's own memory map. Read into the same buffers each time: before every fork, and the parent's memory stays flat. */
function memoryMaps() {
  const bytes = 524_288;
  let text = Buffer.alloc(bytes);
  let again = Buffer.alloc(bytes);
  let filled = 0;
  const readInto = (buffer: Buffer) => {
    const file = openSync("/proc/self/maps", "r");
    let length = 0;
    for (let read = 1; read > 0 && length < bytes; length += read) {
      read = readSync(file, buffer, length, bytes - length, length);
    }
    closeSync(file);
    return length;
  };
  return {
    /** `7f00-7fff rw-p 0 00:00 0`, and more where it is a file's, which goes along anyway. */
    forEachPrivate(each: (start: number, end: number) => void): void {
      filled = readInto(text);
      for (let at = 0; at < filled; ) {
        const dash = text.indexOf(45, at);
        const space = text.indexOf(32, dash);
        const next = text.indexOf(10, space);
        if (text[space + 4] === 112) each(hexadecimal(text, at, dash), hexadecimal(text, dash + 1, space));
        at = next === -1 ? filled : next + 1;
      }
    },
    /** Since they were read. */
    haveChanged(): boolean {
      const length = readInto(again);
      const changed = text.compare(again, 0, length, 0, filled) !== 0;
      [text, again] = [again, text];
      return changed;
    },
  };
}

function hexadecimal(text: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text[at] as number;
    value = value * 16 + (code < 58 ? code - 48 : code - 87);
  }
  return value;
}
