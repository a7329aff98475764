import fc from "fast-check";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { accessRules, refusalOf } from "./access.ts";
import { type Caller, type CallerEnv, type Role, roles } from "./caller.ts";
import { guard } from "./guard.ts";

const callerOf = (...has: Role[]): Caller => ({
  subject: "s",
  user: { id: "s", name: "ada" },
  roles: has,
  party: has.includes("steward") ? "UVA" : "",
});

function ruleOf(method: string, path: string) {
  const rule = accessRules.find((one) => one.method === method && one.path === path);
  if (rule === undefined) throw new Error(`no rule for ${method} ${path}`);
  return rule;
}

/** R, S, O, A: researcher, steward (of UVA, asking for UVA), operator, auditor. */
const matrix: readonly [method: string, path: string, may: string][] = [
  ["POST", "/v1/queries", "R"],
  ["GET", "/v1/queries/:id", "R"],
  ["GET", "/v1/queries/:id/result", "R"],
  ["DELETE", "/v1/queries/:id", "R"],
  ["POST", "/v1/jobs", "R"],
  ["POST", "/v1/jobs/:id/queries", "R"],
  ["DELETE", "/v1/jobs/:id", "R"],
  ["POST", "/v1/policy/explain", "RS"],
  ["GET", "/v1/agreements", "SOA"],
  ["GET", "/v1/agreements/:name", "SOA"],
  ["GET", "/v1/agreements/:name/history", "SOA"],
  ["PUT", "/v1/agreements/:name", "S"],
  ["DELETE", "/v1/agreements/:name", "S"],
  ["GET", "/v1/archetypes/:name", "SOA"],
  ["PUT", "/v1/archetypes/:name", "O"],
  ["DELETE", "/v1/archetypes/:name", "O"],
  ["PUT", "/v1/request-types/:name", "O"],
  ["PUT", "/v1/steps/:name", "O"],
  ["DELETE", "/v1/steps/:name", "O"],
  ["GET", "/v1/parties", "RSOA"],
  ["GET", "/v1/catalogue", "RSOA"],
];

describe("who may do what", () => {
  it.each(matrix)("%s %s: %s", (method, path, may) => {
    const allowed = roles.filter((role) => refusalOf(ruleOf(method, path), callerOf(role), "UVA") === undefined);
    expect(allowed.map((role) => role.slice(0, 1).toUpperCase()).join("")).toBe(may);
  });

  it("names the role that is needed", () => {
    const explain = ruleOf("POST", "/v1/policy/explain");
    expect(refusalOf(explain, callerOf("auditor"), undefined)).toBe("this needs the role researcher or steward");
    const put = ruleOf("PUT", "/v1/agreements/:name");
    expect(refusalOf(put, callerOf("steward"), "VU")).toBe("this needs the role steward of VU");
  });

  it("gives who has no role nothing at all, and who has several what each of them may", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...accessRules),
        fc.subarray([...roles]),
        fc.constantFrom("UVA", "VU", undefined),
        (rule, has, name) => {
          const may = (...some: Role[]) => refusalOf(rule, callerOf(...some), name) === undefined;
          expect(may(...has)).toBe(has.some((role) => may(role)));
        },
      ),
    );
  });

  it.each(["", "uva", "UVA ", "VU", undefined])("a steward of UVA writes no agreement of %j", (name) => {
    const put = ruleOf("PUT", "/v1/agreements/:name");
    expect(refusalOf(put, callerOf("steward", "operator", "auditor", "researcher"), name)).toBeDefined();
  });

  it("a steward of no party writes none, also not of no name", () => {
    const put = ruleOf("PUT", "/v1/agreements/:name");
    for (const name of ["UVA", "", undefined])
      expect(refusalOf(put, { ...callerOf("steward"), party: "" }, name)).toBeDefined();
  });
});

describe("a route without a rule", () => {
  it.each(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])(
    "is for nobody, whatever their roles: %s",
    async (method) => {
      const routes = new Hono<CallerEnv>();
      const reached = (c: { text: (text: string) => Response }) => c.text("reached");
      routes.get("/v1/secrets", reached).post(reached).put(reached).delete(reached).patch(reached);
      const app = new Hono<CallerEnv>();
      app.use("*", async (c, next) => {
        c.set("caller", callerOf(...roles));
        await next();
      });
      guard(app, (asked, path) => routes.router.match(asked, path)[0].length > 0);
      app.route("/", routes);
      const response = await app.request("/v1/secrets", { method });
      expect(response.status).toBe(403);
      expect((await app.request("/v1/nothing", { method })).status).toBe(404);
    },
  );
});
