import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSignedBy, makeRecordKey, recordDigest } from "#adapters/system/record-crypto";
import { beforeFirst, genesisRecord, type Head, sealRecord, signedText } from "./chain.ts";
import { problemText } from "./problem.ts";
import type { ChangeRecord } from "./record.ts";
import {
  type ChainHead,
  type RecordLine,
  type Report,
  Verification,
  type VerificationOptions,
} from "./verification.ts";

const key = makeRecordKey();
const otherKey = makeRecordKey();
const uva = { party: "UVA", instance: "one" };

function change(number: number): ChangeRecord {
  const hashes = { before: "", after: recordDigest(String(number)) };
  return {
    kind: "change",
    atMs: 1_000 + number,
    key: "/agreements/UVA",
    revision: number,
    author: "",
    ...hashes,
    code: { sidecar: "s" },
  };
}

function chain(length: number, place = uva, sealer = key): { lines: string[]; head: Head } {
  const lines: string[] = [];
  let head = beforeFirst;
  for (let number = 1; number <= length; number += 1) {
    const sealed = sealRecord(number === 1 ? genesisRecord(1_000, sealer) : change(number), head, place, sealer);
    lines.push(sealed.line);
    head = sealed.head;
  }
  return { lines, head };
}

function verify(lines: readonly (string | RecordLine)[], options: Partial<VerificationOptions> = {}): Report {
  const verification = new Verification({ digest: recordDigest, isSignedBy, ...options });
  for (const [index, line] of lines.entries()) {
    verification.take(typeof line === "string" ? { file: "uva.jsonl", line: index + 1, text: line } : line);
  }
  return verification.end();
}

/** `kind seq line`, of each problem. */
function found(report: Report): string[] {
  return report.problems.map(({ kind, seq, line }) => `${kind} ${seq} ${line}`);
}

const length = 20;
const { lines: whole, head } = chain(length);
const at = (index: number): string => whole[index] ?? "";

describe("a record that nobody touched", () => {
  it("is verified with its number of records and its head", () => {
    const report = verify(whole, { keys: [{ party: "UVA", publicKey: key.publicKey }], heads: [{ ...uva, ...head }] });
    expect(report).toMatchObject({ records: length, problems: [], problemsInAll: 0, unfinished: [] });
    expect(report.chains).toEqual([{ ...uva, ...head, publicKey: key.publicKey }]);
  });

  it("may be longer than the head that somebody knows", () => {
    const { head: earlier } = chain(12);
    expect(verify(whole, { heads: [{ ...uva, ...earlier }] }).problems).toEqual([]);
  });

  it("may stand among those of others, line by line", () => {
    const { lines: others } = chain(length, { party: "VU", instance: "one" }, otherKey);
    const mixed = whole.flatMap((line, index) => [line, others[index] ?? ""]);
    expect(verify(mixed)).toMatchObject({ records: 2 * length, problems: [] });
  });

  it("may be one query's records, picked from it", () => {
    const picked = [at(0), at(4), at(9)];
    expect(verify(picked, { isSelection: true })).toMatchObject({ records: 3, problems: [] });
    expect(found(verify(picked))).toEqual(["removed 2 2", "removed 6 3"]);
  });

  it("may end in the middle of a line after a crash", () => {
    const torn = { file: "uva.jsonl", line: length + 1, text: at(3).slice(0, 40), isUnfinished: true };
    expect(verify([...whole, torn])).toMatchObject({ problems: [], unfinished: [uva] });
  });
});

describe("what was done to a record is found and named", () => {
  it("each character of a line that is another one", () => {
    const line = at(7);
    for (let index = 0; index < line.length; index += 1) {
      const other = line[index] === "0" ? "1" : "0";
      const altered = whole.with(7, line.slice(0, index) + other + line.slice(index + 1));
      const [problem] = verify(altered).problems;
      expect(problem, `character ${index}`).toMatchObject({ seq: 8, line: 8 });
      expect(["altered", "foreign"]).toContain(problem?.kind);
    }
  });

  it("a line with other spaces, another order of keys or a key twice", () => {
    const json = JSON.parse(at(7));
    const reversed = JSON.stringify(Object.fromEntries(Object.entries(json).reverse()));
    for (const text of [`${at(7)} `, at(7).replace(":", ": "), reversed, at(7).replace("{", '{"atMs":1,')]) {
      expect(found(verify(whole.with(7, text)))).toEqual(["altered 8 8"]);
    }
  });

  it("a record that was written anew with the right hash, but without the key", () => {
    const { head: before } = chain(7);
    const forged = sealRecord(change(99), before, uva, otherKey).line;
    expect(found(verify(whole.with(7, forged)))[0]).toBe("foreign 8 8");
  });

  it("a chain that was written anew under another key, given the right one", () => {
    const { lines } = chain(length, uva, otherKey);
    expect(found(verify(lines))).toEqual([]);
    expect(found(verify(lines, { keys: [{ party: "UVA", publicKey: key.publicKey }] }))).toEqual(["foreign 1 1"]);
  });

  it("a party's record that is signed by another party's key", () => {
    const keys = [
      { party: "UVA", publicKey: key.publicKey },
      { party: "VU", publicKey: otherKey.publicKey },
    ];
    expect(found(verify(chain(3, uva, otherKey).lines, { keys }))).toEqual(["foreign 1 1"]);
    expect(found(verify(chain(3, { party: "VU", instance: "x" }, otherKey).lines, { keys }))).toEqual([]);
  });

  it("a first record that is missing, with and without its key", () => {
    expect(found(verify(whole.slice(1)))).toEqual(["removed 1 1"]);
    expect(found(verify(whole.slice(1), { keys: [{ party: "", publicKey: key.publicKey }] }))).toEqual(["removed 1 1"]);
  });

  it("an end that is missing, given a head", () => {
    const heads: ChainHead[] = [{ ...uva, ...head }];
    const [problem] = verify(whole.slice(0, 15), { heads }).problems;
    expect(problem).toMatchObject({ kind: "truncated", seq: 16, seqTo: 20 });
    expect(verify([], { heads }).problems[0]).toMatchObject({ kind: "truncated", seq: 1, seqTo: 20 });
    expect(verify(whole.slice(0, 15)).problems).toEqual([]);
  });

  it("an end that was written anew by who has the key, given a head", () => {
    const { lines } = chain(15);
    let last: Head = chain(15).head;
    for (const number of [91, 92, 93, 94, 95]) {
      const sealed = sealRecord(change(number), last, uva, key);
      lines.push(sealed.line);
      last = sealed.head;
    }
    expect(verify(lines).problems).toEqual([]);
    expect(found(verify(lines, { heads: [{ ...uva, ...head }] }))).toEqual(["altered 20 20"]);
  });

  it("a record of another chain", () => {
    const { lines: others } = chain(9, { party: "VU", instance: "one" }, otherKey);
    expect(found(verify(whole.toSpliced(5, 0, others[8] ?? "")))).toEqual(["inserted 9 6"]);
  });

  it("a record that its own key signed for another place of the same chain", () => {
    const other = sealRecord(change(42), chain(7).head, uva, key).line;
    const report = verify(whole.toSpliced(8, 0, other));
    expect(found(report)).toEqual(["inserted 8 9"]);
  });

  it("an empty line, and what is no record", () => {
    for (const text of ["", "{}", "[1]", "null", '{"seq":1e999}']) {
      expect(found(verify(whole.toSpliced(5, 0, text))).map((one) => one.replace(/ .* /, " "))).toEqual(["inserted 6"]);
    }
  });

  it("what happened to several records at once", () => {
    const edited = [...whole];
    edited[2] = at(2).replace('"revision":3', '"revision":4');
    edited.splice(9, 1);
    expect(found(verify(edited))).toEqual(["altered 3 3", "removed 10 10"]);
  });

  it("in words with party, instance, record, file and line", () => {
    const [problem] = verify(whole.toSpliced(4, 1)).problems;
    expect(problem && problemText(problem)).toBe("removed: record 5 of UVA/one is missing (uva.jsonl, line 5)");
  });
});

const edits = {
  altered: (lines: string[], from: number, _to: number, salt: number) => {
    const line = lines[from] ?? "";
    const place = salt % line.length;
    const code = line.charCodeAt(place) === 120 ? "y" : "x";
    return lines.with(from, line.slice(0, place) + code + line.slice(place + 1));
  },
  removed: (lines: string[], from: number) => lines.toSpliced(from, 1),
  inserted: (lines: string[], from: number, to: number) => lines.toSpliced(to, 0, lines[from] ?? ""),
  reordered: (lines: string[], from: number, to: number) => {
    const line = lines[from] ?? "";
    return lines.toSpliced(from, 1).toSpliced(to, 0, line);
  },
};

it("any one edit of any line is found, and its name, record and line are those of the edit", () => {
  const edit = fc.record({
    kind: fc.constantFrom("altered" as const, "removed" as const, "inserted" as const, "reordered" as const),
    from: fc.integer({ min: 0, max: length - 1 }),
    to: fc.integer({ min: 0, max: length - 1 }),
    salt: fc.nat(),
  });
  const tally = new Map<string, number>();
  fc.assert(
    fc.property(edit, ({ kind, from, to, salt }) => {
      const edited = edits[kind]([...whole], from, to, salt);
      if (edited.length === whole.length && edited.every((line, index) => line === whole[index])) return;
      tally.set(kind, (tally.get(kind) ?? 0) + 1);
      const { problems } = verify(edited, { heads: [{ ...uva, ...head }] });
      const kinds =
        kind === "altered" ? ["altered", "foreign"] : kind === "removed" ? ["removed", "truncated"] : [kind];
      expect(problems.map((problem) => problem.kind).every((one) => kinds.includes(one))).toBe(true);
      // A record and its neighbour that change places: either has moved.
      const moved = Math.abs(from - to) === 1 ? [from + 1, to + 1] : [from + 1];
      expect(problems).toHaveLength(1);
      expect(kind === "reordered" ? moved : [from + 1]).toContain(problems[0]?.seq);
      expect(lineOf[kind](from, to)).toContain(problems[0]?.line);
    }),
    { numRuns: 400 },
  );
  expect([...tally.keys()].sort()).toEqual(["altered", "inserted", "removed", "reordered"]);
});

/** Where the problem must be said to be. A missing record is said to be missing where the next one stands. */
const lineOf = {
  altered: (from: number) => [from + 1],
  removed: (from: number) => [from === length - 1 ? 0 : from + 1],
  // Of two equal lines either is the copy.
  inserted: (from: number, to: number) => [to + 1, to <= from ? from + 2 : from + 1],
  reordered: (from: number, to: number) => (Math.abs(from - to) === 1 ? [from + 1, to + 1] : [to + 1]),
};

it("several edits at once never pass", () => {
  const step = fc.record({
    kind: fc.constantFrom("altered" as const, "removed" as const, "inserted" as const, "reordered" as const),
    from: fc.nat(),
    to: fc.nat(),
    salt: fc.nat(),
  });
  fc.assert(
    fc.property(step, step, step, (...steps) => {
      let edited = [...whole];
      for (const { kind, from, to, salt } of steps) {
        edited = edits[kind](edited, from % edited.length, to % edited.length, salt);
      }
      const isSame = edited.length === whole.length && edited.every((line, index) => line === whole[index]);
      const { problemsInAll } = verify(edited, { heads: [{ ...uva, ...head }] });
      expect(problemsInAll === 0).toBe(isSame);
    }),
    { numRuns: 300 },
  );
});

it("a signature is good for a record alone", () => {
  const sealed = JSON.parse(at(3)) as { hash: string; signature: string };
  expect(isSignedBy(key.publicKey, signedText(sealed.hash), sealed.signature)).toBe(true);
  expect(isSignedBy(key.publicKey, sealed.hash, sealed.signature)).toBe(false);
});
