/** JSON documents (schema/*.schema.json) to contract messages: checked first, then mapped field by field. */
import * as validators from "./gen/validators.js";
import type {
  Agreement,
  Archetype,
  Column,
  ColumnList,
  DataSet,
  Party,
  Query,
  Relation,
  RequestType,
  Step,
  TableDescription,
} from "./index.ts";
import type {
  AgreementJson,
  ArchetypeJson,
  DataSetJson,
  JobJson,
  PartyJson,
  QueryRequestJson,
  RelationJson,
  RequestTypeJson,
  StepJson,
} from "./json-documents.ts";
import { describeErrors, isJsonObject, type Problem, type Validator } from "./validation.ts";

export type { Problem } from "./validation.ts";

/** A document that is not what its schema says. The message names the first problem and never a value. */
export class InvalidDocument extends Error {
  override readonly name = "InvalidDocument";
  readonly problems: readonly Problem[];

  constructor(kind: string, problems: readonly Problem[]) {
    const [first] = problems;
    super(`the ${kind} is not valid: ${[first?.path, first?.message].filter(Boolean).join(" ")}`);
    this.problems = problems;
  }
}

/**
 * @param revision of the store, for approvals and compare-and-swap
 * @throws InvalidDocument
 */
export function agreementFromJson(json: unknown, revision: number): Agreement {
  const { name, relations, computeProviders, archetypes, demandedSteps } = checked<AgreementJson>(
    "agreement",
    validators.agreement,
    json,
  );
  return {
    name,
    // fromEntries makes own properties of every name, `__proto__` too.
    relations: Object.fromEntries(Object.entries(relations).map(([user, one]) => [user, relationFromJson(user, one)])),
    computeProviders: computeProviders ?? [],
    archetypes: archetypes ?? [],
    demandedSteps: Object.fromEntries(Object.entries(demandedSteps ?? {}).map(([type, names]) => [type, { names }])),
    revision,
  };
}

/** Reads an agreement with at most this user's relation; the others are neither checked nor kept. */
export function parseAgreementFor(userName: string): (json: unknown, revision: number) => Agreement {
  return (json, revision) => agreementFromJson(onlyRelation(json, userName), revision);
}

/** @throws InvalidDocument */
export function archetypeFromJson(json: unknown): Archetype {
  const archetype = checked<ArchetypeJson>("archetype", validators.archetype, json);
  return { ...archetype, resultRecipient: archetype.resultRecipient ?? "" };
}

/** @throws InvalidDocument */
export function requestTypeFromJson(json: unknown): RequestType {
  const { name, requiredSteps, optionalSteps } = checked<RequestTypeJson>("request type", validators.requestType, json);
  return { name, requiredSteps, optionalSteps };
}

/** @throws InvalidDocument */
export function stepFromJson(json: unknown): Step {
  const step = checked<StepJson>("step", validators.step, json);
  return { ...step, invalidArchetypes: step.invalidArchetypes ?? [] };
}

/** @throws InvalidDocument */
export function dataSetFromJson(json: unknown): DataSet {
  const { name, party, type, delimiter, tables, measure } = checked<DataSetJson>("data set", validators.dataSet, json);
  return {
    name,
    party,
    type,
    delimiter: delimiter ?? "",
    tables: tables.map(tableFromJson),
    measure: measure && { column: measure.column, groupBy: measure.groupBy ?? [] },
  };
}

/** @param online whether its sidecar holds its lease; not part of the document. @throws InvalidDocument */
export function partyFromJson(json: unknown, online = false): Party {
  const { name, roles } = checked<PartyJson>("party", validators.party, json);
  return { name, roles, online };
}

/** @throws InvalidDocument */
export function jobFromJson(json: unknown): JobJson {
  return checked<JobJson>("job", validators.job, json);
}

/**
 * The query that a job allows, as of a provider's agreement: its SQL plays no part there.
 * @param more what one of its queries adds
 * @throws InvalidDocument
 */
export function queryOfJob(job: JobJson, more: object = { sql: "SELECT 1" }): QueryRequest {
  const { query, timeoutMs } = queryRequestFromJson({ ...job.request, providers: job.providers, ...more });
  return { query: { ...query, user: { ...job.user } }, timeoutMs };
}

export interface QueryRequest {
  /** Its id is empty: the orchestrator gives it. Its user is what the body says, empty where that says nothing. */
  readonly query: Query;
  readonly timeoutMs: number | undefined;
}

/** The body of `POST /v1/queries`. @throws InvalidDocument */
export function queryRequestFromJson(json: unknown): QueryRequest {
  const body = checked<QueryRequestJson>("query request", validators.queryRequest, json);
  // A protobuf map would lose it on the way, and an option that is not known must not be passed over in silence.
  if (Object.hasOwn(body.options ?? {}, "__proto__")) {
    throw new InvalidDocument("query request", [{ path: "/options", message: "there is no option __proto__" }]);
  }
  const algorithm = typeof body.algorithm === "string" ? { name: body.algorithm } : body.algorithm;
  const query: Query = {
    id: "",
    requestType: body.requestType ?? "sqlDataRequest",
    user: { id: body.user?.id ?? "", name: body.user?.name ?? "" },
    providers: body.providers,
    dataSets: body.dataSets ?? [],
    sql: body.sql,
    algorithm: algorithm && { name: algorithm.name, column: algorithm.column ?? "", groupBy: algorithm.groupBy ?? [] },
    options: Object.fromEntries(Object.entries(body.options ?? {})),
    purpose: body.purpose ?? "",
    reuse: undefined,
  };
  return { query, timeoutMs: body.timeoutMs };
}

function checked<Json>(kind: string, validate: Validator, json: unknown): Json {
  if (!validate(json)) {
    throw new InvalidDocument(kind, describeErrors(validate.errors ?? []));
  }
  return json as Json;
}

function relationFromJson(user: string, relation: RelationJson): Relation {
  const at = (field: string) => `/relations/${user.replaceAll("~", "~0").replaceAll("/", "~1")}/${field}`;
  const { allowedAlgorithms, purposes, queriesPerPeriod, resultRecipients, validFrom, validUntil } = relation;
  return {
    id: relation.ID ?? "",
    requestTypes: relation.requestTypes ?? [],
    dataSets: relation.dataSets ?? [],
    allowedArchetypes: relation.allowedArchetypes ?? [],
    allowedComputeProviders: relation.allowedComputeProviders ?? [],
    allowedAlgorithms: allowedAlgorithms && { names: allowedAlgorithms },
    allowedColumns: relation.allowedColumns && columnListOf(relation.allowedColumns),
    deniedColumns: relation.deniedColumns && columnListOf(relation.deniedColumns),
    rowFilters: Object.entries(relation.rowFilters ?? {}).map(([table, predicate]) => ({ table, predicate })),
    aggregatesOnly: relation.aggregatesOnly ?? false,
    minimumGroupSize: relation.minimumGroupSize ?? 0,
    maximumRows: relation.maximumRows,
    purposes: purposes && { names: purposes },
    queriesPerPeriod: queriesPerPeriod && {
      max: queriesPerPeriod.max,
      periodMs: periodMs(queriesPerPeriod.period, at("queriesPerPeriod/period")),
    },
    resultRecipients: resultRecipients && { names: resultRecipients },
    validFromMs: validFrom === undefined ? undefined : instantMs(validFrom, at("validFrom")),
    validUntilMs: validUntil === undefined ? undefined : instantMs(validUntil, at("validUntil")),
  };
}

function columnListOf(columns: Readonly<Record<string, string[]>>): ColumnList {
  return { tables: Object.entries(columns).map(([table, names]) => ({ table, columns: names })) };
}

/** The schema checks the form: days, hours, minutes and seconds, which are of the same length all over the world. */
function periodMs(text: string, path: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = (
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text) ?? []
  ).map((part) => Number(part ?? 0));
  const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
  if (ms === 0) throw new InvalidDocument("agreement", [{ path, message: "must be longer than nothing" }]);
  return ms;
}

/** The schema checks the form; whether the month has that day shows here. */
function instantMs(text: string, path: string): number {
  const ms = Date.parse(text);
  const day = Number(text.slice(8, 10));
  const monthLength = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  if (Number.isNaN(ms) || day > monthLength) {
    throw new InvalidDocument("agreement", [{ path, message: "must be a date that exists" }]);
  }
  return ms;
}

function onlyRelation(json: unknown, userName: string): unknown {
  const relations = isJsonObject(json) ? json.relations : undefined;
  if (!isJsonObject(json) || !isJsonObject(relations)) {
    return json;
  }
  const kept = Object.entries(relations).filter(([user]) => user === userName);
  return { ...json, relations: Object.fromEntries(kept) };
}

function tableFromJson({ name, file, columns }: DataSetJson["tables"][number]): TableDescription {
  return {
    name,
    file,
    columns: (columns ?? []).map(
      (column): Column => ({
        name: column.name,
        type: column.type ?? "",
        title: column.title ?? "",
        unit: column.unit ?? "",
        anonymize: column.anonymize ?? "",
      }),
    ),
  };
}
