/**
 * Verifies records line by line, without their party: finds and names each that was altered, removed,
 * inserted or reordered. What it can't find without help: an end that was cut off (give a head) and a
 * whole chain that was written anew under another key (give the keys).
 */
import { limits } from "../limits.ts";
import {
  type ChainPlace,
  claimedSeq,
  type Digest,
  type Head,
  publicKeyOf,
  readSealed,
  type SealedRecord,
  signedText,
} from "./chain.ts";
import { type BadLine, CheckedChain } from "./checked-chain.ts";
import type { LinePlace, Problem } from "./problem.ts";

export interface RecordLine extends LinePlace {
  readonly text: string;
  /** The last of its file, without a line feed. */
  readonly isUnfinished?: boolean;
}

export interface ChainHead extends ChainPlace, Head {}

export interface PartyKey {
  /** Empty: of any party. */
  readonly party: string;
  readonly publicKey: string;
}

export interface VerificationOptions {
  readonly digest: Digest;
  /** @param publicKey `x` of the Ed25519 JWK */
  readonly isSignedBy: (publicKey: string, text: string, signature: string) => boolean;
  /** Of those whose records may be among these; absent: the keys that the records name themselves. */
  readonly keys?: readonly PartyKey[] | undefined;
  /** Last records that somebody knows of. */
  readonly heads?: readonly ChainHead[];
  /** Records were picked, e.g. those of one query: what is not there is no problem. */
  readonly isSelection?: boolean;
}

export interface Report {
  readonly records: number;
  readonly chains: readonly (ChainHead & { readonly publicKey: string | undefined })[];
  /** At most so many as `limits.recordProblemsMax`. */
  readonly problems: readonly Problem[];
  readonly problemsInAll: number;
  /** Chains whose last line was not finished, as a crash leaves it; what it was to record did not happen. */
  readonly unfinished: readonly ChainPlace[];
}

export class Verification {
  private readonly options: VerificationOptions;
  private readonly chains = new Map<string, CheckedChain>();
  private readonly places = new Map<string, ChainPlace>();
  /** By place a line that can't be read belongs to the chain of the one before it, the first ones to the first chain. */
  private current: CheckedChain | undefined;
  private orphans: BadLine[] = [];
  private readonly problems: Problem[] = [];
  private problemsInAll = 0;

  constructor(options: VerificationOptions) {
    this.options = options;
  }

  take({ text, isUnfinished = false, file, line }: RecordLine): void {
    const at = { file, line };
    const record = readSealed(text, this.options.digest);
    if (record === undefined) {
      const bad: BadLine = { ...at, kind: "altered", claimed: claimedSeq(text), isUnfinished };
      if (this.current === undefined) this.orphans.push(bad);
      else this.current.takeBad(bad);
      return;
    }
    const chain = this.chains.get(keyOf(record)) ?? this.open(record, this.keyFor(record), at);
    this.current = chain;
    for (const orphan of this.orphans.splice(0)) chain.takeBad(orphan);
    // Without a key there is nothing to hold a signature against; that the first record is missing is said.
    if (chain.publicKey === undefined || this.isSigned(record, chain.publicKey)) chain.take(record, at);
    else chain.takeBad({ ...at, kind: "foreign", claimed: record.seq, isUnfinished });
  }

  end(): Report {
    const unfinished: ChainPlace[] = [];
    for (const head of this.options.heads ?? []) {
      if (!this.chains.has(keyOf(head))) this.open(head, undefined, { file: "", line: 0 });
    }
    for (const { file, line } of this.orphans) {
      this.report({ kind: "altered", party: "", instance: "", file, line, seq: 0, seqTo: 0 });
    }
    const isAlone = this.chains.size === 1;
    for (const [key, chain] of this.chains) {
      const place = this.places.get(key);
      if (chain.end(isAlone) && place !== undefined) unfinished.push(place);
    }
    const chains = [...this.chains].flatMap(([key, { head, publicKey, records }]) => {
      const place = this.places.get(key);
      return place === undefined || records === 0 ? [] : [{ ...place, ...head, publicKey }];
    });
    const records = [...this.chains.values()].reduce((sum, chain) => sum + chain.records, 0);
    return { records, chains, problems: this.problems, problemsInAll: this.problemsInAll, unfinished };
  }

  private open({ party, instance }: ChainPlace, publicKey: string | undefined, at: LinePlace): CheckedChain {
    const place = { party, instance };
    const key = keyOf(place);
    const report = (problem: Problem) => this.report(problem);
    const known = this.options.heads?.find((head) => keyOf(head) === key);
    const { isSelection = false } = this.options;
    const chain = new CheckedChain({ place, publicKey, isSelection, known, report });
    this.chains.set(key, chain);
    this.places.set(key, place);
    const isOther = this.keysOf(party)?.includes(publicKey ?? "") === false;
    if (publicKey !== undefined && isOther) {
      report({ kind: "foreign", ...place, ...at, seq: 1, seqTo: 1 });
    }
    return chain;
  }

  /** Its genesis names the key; of a chain without one, a key that was given and fits. */
  private keyFor(record: SealedRecord): string | undefined {
    const keys = this.keysOf(record.party);
    // Without its genesis, and of nobody whose key is known: no key at all may have signed it.
    return publicKeyOf(record) ?? keys?.find((key) => this.isSigned(record, key)) ?? keys?.at(0) ?? (keys && "");
  }

  private keysOf(party: string): string[] | undefined {
    return this.options.keys?.filter((key) => key.party === "" || key.party === party).map((key) => key.publicKey);
  }

  private isSigned({ hash, signature }: SealedRecord, publicKey: string): boolean {
    return this.options.isSignedBy(publicKey, signedText(hash), signature);
  }

  private report(problem: Problem): void {
    this.problemsInAll += 1;
    if (this.problems.length < limits.recordProblemsMax) this.problems.push(problem);
  }
}

function keyOf({ party, instance }: ChainPlace): string {
  return JSON.stringify([party, instance]);
}
