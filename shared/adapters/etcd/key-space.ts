/** How keys of the knowledge base lie in etcd: as they are, or after `NAMESPACE:`. */

export interface KeyRange {
  /** Base64, as etcd's JSON has it. */
  readonly key: string;
  readonly range_end: string;
}

export interface KeySpace {
  /** Base64. */
  encode(key: string): string;
  decode(base64: string): string;
  /** All keys that begin so. */
  range(prefix: string): KeyRange;
  /** Of what tells repeated writes apart: no key of the port begins so, nobody lists or watches it. */
  mark(owner: string, name: string): string;
}

export function keySpace(namespace: string): KeySpace {
  const before = keyPrefix(namespace);
  return {
    encode: (key) => base64(before + key),
    decode: (text) => Buffer.from(text, "base64").toString("utf8").slice(before.length),
    range: (prefix) => {
      const [from, to] = rangeOf(namespace, prefix);
      return { key: from.toString("base64"), range_end: to.toString("base64") };
    },
    mark: (owner, name) => base64(`${before}${marksOf(owner)}${name}`),
  };
}

export const keyPrefix = (namespace: string) => (namespace === "" ? "" : `${namespace}:`);

/** Where a user's marks lie: what it must be able to write besides documents. */
export const marksOf = (owner: string) => `!marks/${owner}/`;

/** From the first such key to the first one after them, as etcd wants it, also for its permissions. */
export function rangeOf(namespace: string, prefix: string): readonly [from: Buffer, to: Buffer] {
  const before = keyPrefix(namespace);
  // Everything of the port begins with `/` or `~`; other programs' keys in between are left out one by one.
  if (prefix === "") return [Buffer.from(`${before}/`), Buffer.from(`${before}\u007f`)];
  return [Buffer.from(before + prefix), after(before + prefix)];
}

/** UTF-8 has no byte that can't be made one more. */
function after(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
