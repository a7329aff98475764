/** What the parties know and have agreed: read by everybody, replaced document by document with ETags. */
import { type Context, Hono } from "hono";
import { ErrorCode } from "#contracts";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  InvalidDocument,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import { agreementKey, archetypeKey, keys, requestTypeKey, stepKey } from "#domain/knowledge-keys";
import { DynamosError } from "#errors";
import type { Entry } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";
import { entityTags, hasTag } from "./entity-tags.ts";
import { readJson } from "./read-json.ts";

interface Collection {
  readonly path: string;
  /** Said in errors. */
  readonly noun: string;
  readonly prefix: string;
  readonly keyOf: (name: string) => string;
  /** @throws InvalidDocument */
  readonly check: (json: unknown) => { name: string };
}

const collections: readonly Collection[] = [
  {
    path: "agreements",
    noun: "agreement",
    prefix: keys.agreements,
    keyOf: agreementKey,
    check: (json) => agreementFromJson(json, 0),
  },
  { path: "archetypes", noun: "archetype", prefix: keys.archetypes, keyOf: archetypeKey, check: archetypeFromJson },
  {
    path: "request-types",
    noun: "request type",
    prefix: keys.requestTypes,
    keyOf: requestTypeKey,
    check: requestTypeFromJson,
  },
  { path: "steps", noun: "step", prefix: keys.steps, keyOf: stepKey, check: stepFromJson },
];

export function knowledgeApi(api: SidecarApi): Hono {
  const routes = new Hono();
  for (const collection of collections) {
    routes.get(`/${collection.path}`, async (c) => c.json((await api.list(collection.prefix)).entries.map(documentOf)));
    routes.get(`/${collection.path}/:name`, (c) => getOne(c, collection, api));
    routes.put(`/${collection.path}/:name`, (c) => putOne(c, collection, api));
  }
  routes.get("/parties", async (c) => c.json(await partiesJson(api)));
  routes.get("/catalogue", async (c) => c.json(await catalogueJson(api)));
  return routes;
}

async function getOne(c: Context, { keyOf, noun }: Collection, api: SidecarApi): Promise<Response> {
  const name = c.req.param("name") ?? "";
  const entry = await api.get(keyOf(name));
  if (entry === undefined) {
    throw new DynamosError(ErrorCode.NOT_FOUND, `there is no ${noun} named ${name}`);
  }
  const etag = etagOf(entry.revision);
  return hasTag(c.req.header("if-none-match"), String(entry.revision))
    ? new Response(null, { status: 304, headers: { etag } })
    : c.json(documentOf(entry) as object, 200, { etag });
}

async function putOne(c: Context, { keyOf, noun, check }: Collection, api: SidecarApi): Promise<Response> {
  const name = c.req.param("name") ?? "";
  const json = await readJson(c);
  if (check(json).name !== name) {
    throw new InvalidDocument(noun, [{ path: "/name", message: `must be ${name}, as in the address` }]);
  }
  const entry = await api.get(keyOf(name));
  const expected = expectedRevision(c, entry?.revision);
  const revision = await api.put(keyOf(name), JSON.stringify(json), { ifRevision: expected });
  return c.json(json as object, entry === undefined ? 201 : 200, { etag: etagOf(revision) });
}

/**
 * `If-Match: "7", "8"`: only over one of these; `*`: only over what is there; `If-None-Match: *`: only if
 * there is none (RFC 9110 section 13). A weak tag never matches in If-Match.
 * @param there the document's revision now
 * @returns the revision to replace; undefined: whatever is there
 */
function expectedRevision(c: Context, there: number | undefined): number | undefined {
  if (c.req.header("if-none-match")?.trim() === "*") return 0;
  const field = c.req.header("if-match")?.trim();
  if (field === undefined) return undefined;
  if (field === "*" && there !== undefined) return there;
  const tags = field === "*" ? [] : entityTags(field);
  if (tags === undefined) throw new DynamosError(ErrorCode.INVALID_REQUEST, "if-match is not a list of etags");
  if (there === undefined || !tags.some(({ weak, value }) => !weak && value === String(there))) {
    throw new DynamosError(ErrorCode.REVISION_CONFLICT, "if-match names no revision that is there now");
  }
  return there;
}

function etagOf(revision: number): string {
  return `"${revision}"`;
}

function documentOf(entry: Entry): unknown {
  return JSON.parse(entry.value);
}

async function partiesJson(api: SidecarApi) {
  const [parties, online] = await Promise.all([api.list(keys.parties), api.list(keys.online)]);
  const here = new Set(online.entries.map(({ key }) => key.slice(keys.online.length).split("/")[0]));
  return parties.entries.map((entry) => {
    const party = documentOf(entry) as { name: string };
    return { ...party, online: here.has(party.name) };
  });
}

/** What can be asked of whom. File names stay at the party. */
async function catalogueJson(api: SidecarApi) {
  const [dataSets, requestTypes, archetypes, steps] = await Promise.all(
    [keys.dataSets, keys.requestTypes, keys.archetypes, keys.steps].map(
      async (prefix) => (await api.list(prefix)).entries,
    ),
  );
  return {
    dataSets: (dataSets ?? []).map((entry) => withoutFiles(documentOf(entry))),
    requestTypes: (requestTypes ?? []).map(documentOf),
    archetypes: (archetypes ?? []).map(documentOf),
    steps: (steps ?? []).map(documentOf),
  };
}

function withoutFiles(json: unknown) {
  const { name, party, tables, measure } = dataSetFromJson(json);
  return {
    name,
    party,
    tables: tables.map((table) => ({
      name: table.name,
      columns: table.columns.map(({ name: column, type, title, unit }) => ({ name: column, type, title, unit })),
    })),
    ...(measure === undefined ? {} : { measure }),
  };
}
