/** What a door and its fork server say to each other. */

/**
 * First argument of the worker's file: it is to be a fork server; the second is where koffi is, the third where the
 * door listens, the fourth which rights it gives up, with commas between.
 */
export const forkServerArgument = "--fork-server";

/** To the server's standard input, each of the same length, so that nobody ever reads half of the next one. */
export const orders = {
  /** With the token by which the door will know the child. */
  worker: "w",
  /** The same, and the child tries out what Node needs before it says ready. */
  selfTest: "t",
  /** With a pid: what has become of it. */
  reap: "r",
} as const;

/** sun_path of struct sockaddr_un (unix(7)), without its closing zero. */
const socketPathBytesMax = 107;

/** @throws RangeError when no Unix socket can be there */
export function checkSocketPath(path: string): void {
  if (Buffer.byteLength(path) <= socketPathBytesMax) return;
  throw new RangeError(
    `a Unix socket's path has ${socketPathBytesMax} bytes at most, ${path} has more: set a shorter TMPDIR`,
  );
}

export const tokenChars = 32;
export const orderBytes = 1 + tokenChars;

/** Of the child's two connections: the first byte, before the token. */
export const connections = { door: "d", output: "o" } as const;

export function setupBytes(setup: ChildSetup): Buffer {
  const text = Buffer.from(JSON.stringify(setup));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length, 0);
  return Buffer.concat([length, text]);
}

export function orderOf(kind: (typeof orders)[keyof typeof orders], value: string): string {
  return kind + value.padEnd(tokenChars, " ");
}

/** What a child gets over its door before anything else, behind its length in four bytes. */
export interface ChildSetup {
  readonly folder: string;
  /** Complete. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of a child that tests itself: what the door can read, and a step needs. */
  readonly mustRead?: string | undefined;
}
