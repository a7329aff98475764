/** What the parties know and have agreed: read, replaced and deleted document by document with ETags, with its history. */
import { type Context, Hono } from "hono";
import { ErrorCode } from "#contracts";
import { InvalidDocument } from "#contracts/documents";
import type { AgreementJson } from "#contracts/json-documents";
import { existenceKey } from "#domain/knowledge-keys";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import { appliedHeaders } from "./applied.ts";
import type { BodyReader } from "./body-reader.ts";
import type { CallerEnv } from "./caller.ts";
import { catalogueJson, documentOf, partiesJson } from "./catalogue.ts";
import { type DocumentChange, documentChanges } from "./change-document.ts";
import { checkAgreement } from "./check-agreement.ts";
import { agreements, type Collection, checkNames, collections } from "./collections.ts";
import { demandedStepProblems } from "./demanded-steps.ts";
import { historyJson, pageOf, valueAt, wholeNumber } from "./document-history.ts";
import { hasTag } from "./entity-tags.ts";
import { etagOf } from "./precondition.ts";

export function knowledgeApi(api: SidecarApi, bodies: BodyReader, exchangeParty: string): Hono<CallerEnv> {
  const routes = new Hono<CallerEnv>();
  const changes = documentChanges(api);
  for (const collection of collections) {
    const { path, place, prefix, isListedElsewhere } = collection;
    if (!isListedElsewhere) {
      routes.get(`/${path}`, async (c) => c.json((await api.list(prefix)).entries.map(documentOf)));
    }
    routes.get(`/${path}${place}`, (c) => getOne(c, collection, api));
    routes.get(`/${path}${place}/history`, (c) => getHistory(c, collection, api));
    routes.put(`/${path}${place}`, async (c) => {
      const json = await bodies.read(c, collection.bodyBytesMax);
      await collection.check(json);
      checkNames(collection, json, namesIn(c));
      if (collection === agreements) await checkNamed(api, exchangeParty, json);
      const { revision, isNew } = await changes.put(changeOf(c, collection), json);
      const headers = { etag: etagOf(revision), ...(await appliedHeaders(api, revision)) };
      return c.json(json as object, isNew ? 201 : 200, headers);
    });
    routes.delete(`/${path}${place}`, async (c) => {
      const revision = await changes.delete(changeOf(c, collection));
      const headers = { etag: etagOf(revision), ...(await appliedHeaders(api, revision)) };
      return new Response(null, { status: 204, headers });
    });
  }
  routes.get("/parties", async (c) => c.json(await partiesJson(api)));
  routes.get("/catalogue", async (c) => c.json(await catalogueJson(api)));
  return routes;
}

/**
 * @param json an agreement that is valid by its schema
 * @throws InvalidDocument: it demands a step, or protects a table, that there is not, or the engine does not take a
 *   row filter. DynamosError when it could not be asked
 */
async function checkNamed(api: SidecarApi, exchangeParty: string, json: unknown): Promise<void> {
  const [problems, reasons] = await Promise.all([
    demandedStepProblems(api, json as AgreementJson),
    checkAgreement(api, exchangeParty, json),
  ]);
  problems.push(...reasons.map(({ clause, message }) => ({ path: clause, message })));
  if (problems.length > 0) throw new InvalidDocument(agreements.noun, problems);
}

async function getOne(c: Context, collection: Collection, api: SidecarApi): Promise<Response> {
  const key = keyIn(c, collection);
  const asked = c.req.query("revision");
  const entry = await api.get(key);
  if (asked !== undefined && asked !== String(entry?.revision)) {
    const revision = wholeNumber("revision", asked, Number.MAX_SAFE_INTEGER);
    return c.json(await valueAt(api, key, revision), 200, { etag: etagOf(revision) });
  }
  if (entry === undefined) throw await absent(c, collection, api);
  const etag = etagOf(entry.revision);
  return hasTag(c.req.header("if-none-match"), String(entry.revision))
    ? new Response(null, { status: 304, headers: { etag } })
    : c.json(documentOf(entry) as object, 200, { etag });
}

async function getHistory(c: Context, collection: Collection, api: SidecarApi): Promise<Response> {
  const key = keyIn(c, collection);
  const page = pageOf({ before: c.req.query("before"), limit: c.req.query("limit") });
  const history = await historyJson(api, key, page);
  if (history.changes.length > 0 || page.before !== undefined) return c.json(history);
  const entry = await api.get(key);
  if (entry === undefined) throw await absent(c, collection, api);
  return c.json({ changes: [{ revision: entry.revision, change: "put" }] });
}

async function absent(c: Context, collection: Collection, api: SidecarApi): Promise<DynamosError> {
  const deleted = await api.get(existenceKey(keyIn(c, collection)));
  const when = deleted === undefined ? "" : `: it was deleted at revision ${deleted.revision}`;
  return new DynamosError(ErrorCode.NOT_FOUND, `there is no ${whatIn(c, collection)}${when}`);
}

function changeOf(c: Context<CallerEnv>, collection: Collection): DocumentChange {
  return {
    collection,
    key: keyIn(c, collection),
    what: whatIn(c, collection),
    caller: c.get("caller"),
    conditions: { ifMatch: c.req.header("if-match"), ifNoneMatch: c.req.header("if-none-match") },
  };
}

function namesIn(c: Context): { name: string; party: string } {
  return { name: c.req.param("name") ?? "", party: c.req.param("party") ?? "" };
}

function keyIn(c: Context, { keyOf }: Collection): string {
  const { name, party } = namesIn(c);
  return keyOf(name, party);
}

function whatIn(c: Context, { noun }: Collection): string {
  const { name, party } = namesIn(c);
  return `${noun} ${name}${party === "" ? "" : ` of ${party}`}`;
}
