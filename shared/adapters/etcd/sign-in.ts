/** User and password for a token, which etcd forgets after a while. */
import { readFile } from "node:fs/promises";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface EtcdUser {
  readonly name: string;
  /** Read again for each new token: a password that changes needs no restart. Its last line end is not part of it. */
  readonly passwordFile: string;
}

export class SignIn {
  readonly #user: EtcdUser | undefined;
  readonly #authenticate: (body: object) => Promise<string>;
  #token: Promise<string> | undefined;

  /** @param authenticate what etcd is asked with */
  constructor(user: EtcdUser | undefined, authenticate: (body: object) => Promise<string>) {
    this.#user = user;
    this.#authenticate = authenticate;
  }

  /** @returns undefined when there is no user */
  token(): Promise<string> | undefined {
    if (this.#user === undefined) return undefined;
    if (this.#token === undefined) {
      const token = this.#signIn(this.#user);
      this.#token = token;
      token.catch(() => this.#forget(token));
    }
    return this.#token;
  }

  /** A token that is not taken any more; one that was fetched meanwhile stays. */
  async refused(old: string): Promise<void> {
    const current = this.#token;
    if (current !== undefined && (await current.catch(() => undefined)) === old) this.#forget(current);
  }

  #forget(token: Promise<string>): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #signIn({ name, passwordFile }: EtcdUser): Promise<string> {
    const text = await readFile(passwordFile, "utf8").catch((cause: NodeJS.ErrnoException) => {
      const message = `the file ${passwordFile} with the knowledge base's password can't be read (${cause.code})`;
      throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, message, { cause });
    });
    return this.#authenticate({ name, password: text.replace(/\r?\n$/, "") });
  }
}
