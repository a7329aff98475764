/** Where forked children find their door: a Unix socket in a folder that only this user may enter, and a token for each. */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { limits } from "#domain/limits";
import { checkSocketPath, connections, orderBytes, tokenChars } from "./fork-protocol.ts";

export interface ExpectedChild {
  readonly token: string;
  readonly door: Promise<Socket>;
  readonly output: Promise<Socket>;
  /** Closes what has come of it and waits for no more. */
  forget(): void;
}

interface Expectation {
  readonly resolve: (socket: Socket) => void;
  readonly reject: (error: Error) => void;
}

export class ForkDoor {
  readonly path: string;
  readonly #server: Server;
  readonly #expected = new Map<string, Expectation>();
  readonly #strangers = new Set<Socket>();

  /** @param folder 0700. @throws RangeError when its path is too long for a socket in it */
  constructor(folder: string) {
    this.path = join(folder, "door");
    checkSocketPath(this.path);
    this.#server = createServer((socket) => this.#greet(socket));
    this.#server.on("error", () => {});
    this.#server.maxConnections = limits.forkConnectionsMax;
    this.#server.listen(this.path);
  }

  expect(): ExpectedChild {
    const token = randomBytes(tokenChars / 2).toString("hex");
    const came: Socket[] = [];
    const line = (kind: string) => {
      const promise = new Promise<Socket>((resolve, reject) => {
        this.#expected.set(kind + token, { resolve, reject });
      });
      promise.then((socket) => came.push(socket)).catch(() => {});
      return promise;
    };
    return {
      token,
      door: line(connections.door),
      output: line(connections.output),
      forget: () => {
        for (const kind of Object.values(connections)) {
          this.#expected.get(kind + token)?.reject(new Error("the child did not connect"));
          this.#expected.delete(kind + token);
        }
        for (const socket of came) socket.destroy();
      },
    };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#strangers) socket.destroy();
  }

  /** Nobody is let in who does not say a token at once, and each token is good for one time. */
  #greet(socket: Socket): void {
    this.#strangers.add(socket);
    socket.on("error", () => {});
    const late = setTimeout(() => socket.destroy(), limits.forkGreetingMsMax);
    const left = () => {
      clearTimeout(late);
      this.#strangers.delete(socket);
    };
    const read = () => {
      const greeting: Buffer | null = socket.read(orderBytes);
      if (greeting === null) return;
      socket.off("readable", read);
      left();
      const name = greeting.toString("latin1");
      const expectation = this.#expected.get(name);
      this.#expected.delete(name);
      if (expectation === undefined) socket.destroy();
      else expectation.resolve(socket);
    };
    socket.on("readable", read);
    socket.once("close", left);
  }
}
