/** The documents of schema/*.schema.json as types: what a value is once its validator said yes. */

type Names = string[];

export interface RelationJson {
  ID?: string;
  requestTypes: Names | null;
  dataSets: Names | null;
  allowedArchetypes: Names | null;
  allowedComputeProviders: Names | null;
  allowedAlgorithms?: Names;
  /** Table to columns. */
  allowedColumns?: Record<string, Names>;
  deniedColumns?: Record<string, Names>;
  /** Table to SQL predicate. */
  rowFilters?: Record<string, string>;
  aggregatesOnly?: boolean;
  minimumGroupSize?: number;
  purposes?: Names;
  queriesPerPeriod?: { max: number; period: string };
  resultRecipients?: Names;
  maximumRows?: number;
  /** RFC 3339. */
  validFrom?: string;
  validUntil?: string;
}

export interface AgreementJson {
  name: string;
  relations: Record<string, RelationJson>;
  computeProviders?: Names | null;
  archetypes?: Names | null;
  /** Request type to steps. */
  demandedSteps?: Record<string, Names>;
}

export interface ArchetypeJson {
  name: string;
  computeProvider: "dataProvider" | "other";
  resultRecipient?: string;
  weight: number;
}

export interface RequestTypeJson {
  name: string;
  requiredSteps: Names;
  /** Step to option. */
  optionalSteps: Record<string, string>;
}

export interface StepJson {
  name: string;
  label: string;
  allowedOutputs: Names;
  invalidArchetypes?: Names;
}

export interface ColumnJson {
  name: string;
  type?: "text" | "integer" | "decimal" | "double" | "boolean" | "date" | "timestamp";
  title?: string;
  unit?: string;
  anonymize?: "year" | "mask" | "drop";
}

export interface TableJson {
  name: string;
  file: string;
  columns?: ColumnJson[];
}

export interface DataSetJson {
  name: string;
  party: string;
  type: "csv" | "parquet" | "postgres";
  delimiter?: string;
  tables: TableJson[];
  measure?: { column: string; groupBy?: Names };
}

export interface PartyJson {
  name: string;
  roles: ("exchange" | "dataProvider" | "computeProvider")[];
}

/** A job as the knowledge base holds it. */
export interface JobJson {
  id: string;
  subject: string;
  user: { id: string; name: string };
  /** What all its queries have in common: a query request without SQL. */
  request: Record<string, unknown>;
  providers: Names;
  withdrawn: { provider: string; message: string; atMs: number }[];
  leaseMs: number;
  createdAtMs: number;
  expiresAtMs: number;
  ended?: { atMs: number; cause: "deleted" | "expired" | "revoked"; message: string };
}

export interface QueryRequestJson {
  requestType?: string;
  /** The token says who asks. */
  user?: { id?: string; name: string };
  providers: Names;
  dataSets?: Names;
  sql: string;
  algorithm?: string | { name: string; column?: string; groupBy?: Names };
  options?: Record<string, boolean>;
  timeoutMs?: number;
  purpose?: string;
}
