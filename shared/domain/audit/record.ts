/**
 * What a party records: who was allowed or refused what, by which rule, and what left it. Never a value
 * from the data, a literal from the SQL or a message that may hold one: names, codes, numbers and hashes only.
 */

/** SHA-256 in lower-case hexadecimal. */
export type Sha256 = string;

/** A clause that spoke, e.g. `DENIED` by `UVA.relations["a@b.org"].purposes`. */
export interface Rule {
  /** Empty: the clause allows. */
  readonly code: string;
  /** Path inside the agreement; empty where there is none. */
  readonly clause: string;
}

export interface AgreementRevision {
  readonly provider: string;
  readonly revision: number;
}

/** What is known of each record that belongs to a query. */
export interface OfQuery {
  /** Milliseconds since the epoch, by this party's clock. */
  readonly atMs: number;
  readonly queryId: string;
  readonly attempt: number;
  readonly user: { readonly id: string; readonly name: string };
  /** Of the SQL's text in UTF-8; empty where there is none. */
  readonly sqlSha256: Sha256;
  /** Those that it stands on. */
  readonly agreements: readonly AgreementRevision[];
  readonly code: {
    readonly sidecar: string;
    /** Of the function that ran; empty where none did or it did not say. */
    readonly function: string;
  };
}

/** What policy says of one provider. */
export interface DecisionRecord extends OfQuery {
  readonly kind: "decision";
  readonly provider: string;
  readonly allowed: boolean;
  readonly rules: readonly Rule[];
}

export interface PlanRecord extends OfQuery {
  readonly kind: "plan";
  readonly choices: readonly {
    readonly archetype: string;
    readonly providers: readonly string[];
    readonly computeProvider: string;
    readonly rule: string;
    readonly why: string;
    /** Archetypes that were not chosen. */
    readonly considered: readonly string[];
  }[];
  readonly chains: readonly {
    readonly id: string;
    readonly at: string;
    readonly steps: readonly string[];
    readonly providers: readonly string[];
    readonly gatherAt: string;
  }[];
}

/** What a message or an outcome holds, as numbers. */
export interface Content {
  readonly what: "table" | "chart" | "document";
  /** -1 where it is no table. */
  readonly rows: number;
  readonly bytes: number;
  /** Of a table's Arrow IPC stream, a chart's text in UTF-8, a document's body. */
  readonly sha256: Sha256;
}

/** One hop, each time that it was tried. */
export interface StepRecord extends OfQuery {
  readonly kind: "step";
  readonly step: string;
  /** Empty for the control chain. */
  readonly chain: string;
  readonly hop: number;
  readonly tries: number;
  readonly ms: number;
  /** `forward`, `fanOut`, `refusal`, `failure`, `comparison` or `nothing`. */
  readonly outcome: string;
  readonly contents: readonly Content[];
}

/** A compute provider has each provider's part and hands them on. */
export interface GatherRecord extends OfQuery {
  readonly kind: "gather";
  readonly chain: string;
  readonly parts: readonly { readonly provider: string; readonly contents: readonly Content[] }[];
}

/** Written before anything leaves the party. A refusal or failure that leaves has a record of its own. */
export interface ReleaseRecord extends OfQuery {
  readonly kind: "release";
  /** The party that gets it, in lower case. */
  readonly to: string;
  /** `opened`: a table follows in chunks, and a release with its rows and hash after the last of them. */
  readonly what: "opened" | "part" | "result" | "plan" | "start" | "unchanged";
  readonly chain: string;
  readonly contents: readonly Content[];
  /** Of `unchanged`: the query whose answer may be given again. */
  readonly of?: EarlierAnswer;
}

export interface EarlierAnswer {
  readonly queryId: string;
  /** Milliseconds since the epoch, by the clock of who answered. */
  readonly answeredAtMs: number;
}

/** A query is answered with what an earlier one was: written at the exchange before it is. */
export interface ReuseRecord extends OfQuery {
  readonly kind: "reuse";
  readonly of: EarlierAnswer;
}

export interface RefusalRecord extends OfQuery {
  readonly kind: "refusal";
  readonly step: string;
  readonly chain: string;
  readonly rules: readonly Rule[];
}

export interface FailureRecord extends OfQuery {
  readonly kind: "failure";
  readonly step: string;
  readonly chain: string;
  readonly failure: string;
}

/** A document that policy reads was put or removed. */
export interface ChangeRecord {
  readonly kind: "change";
  readonly atMs: number;
  readonly key: string;
  readonly revision: number;
  /** Empty where the knowledge base does not say. */
  readonly author: string;
  /** Of its JSON text; empty: there was none, or is none any more. */
  readonly before: Sha256;
  readonly after: Sha256;
  readonly code: { readonly sidecar: string };
}

/** A sidecar begins to write, with the documents as it found them: by revision and hash, who has a document can show what was in force. */
export interface StartRecord {
  readonly kind: "start";
  readonly atMs: number;
  readonly code: { readonly sidecar: string };
  readonly documents: readonly { readonly key: string; readonly revision: number; readonly sha256: Sha256 }[];
}

/** After a crash: the last line had not been finished. What it was to record did not happen. */
export interface RecoveryRecord {
  readonly kind: "recovery";
  readonly atMs: number;
  readonly cutBytes: number;
}

export type QueryRecord =
  | DecisionRecord
  | PlanRecord
  | StepRecord
  | GatherRecord
  | ReleaseRecord
  | ReuseRecord
  | RefusalRecord
  | FailureRecord;

export type AuditRecord = QueryRecord | ChangeRecord | StartRecord | RecoveryRecord;
