import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BrokerRights, brokerRights } from "./broker-permissions.ts";
import { gatherTopic, replyTopic, retryQueue, returnsQueue, stepTopic, transferName } from "./route.ts";
import { regularExpressionOf } from "./topic-pattern.ts";

const parties = [
  { name: "exchange", roles: ["exchange"] },
  { name: "UVA", roles: ["dataProvider"] },
  { name: "VU", roles: ["dataProvider"] },
  { name: "SURF", roles: ["computeProvider"] },
];

type Right = "declares" | "writes" | "reads" | "sends";

const rights = (user: string, all = parties): BrokerRights => {
  const found = brokerRights(all).find((one) => one.user === user);
  if (found === undefined) throw new RangeError(user);
  return found;
};
const may = (user: string, right: Right, name: string, all = parties) =>
  new RegExp(regularExpressionOf(rights(user, all)[right])).test(name);

describe("the broker user of a data provider", () => {
  it("sends to its own steps, the gathers of compute providers and the asker's replies", () => {
    for (const key of ["uva.sql-query", "uva.sql-query.again", "surf.gather", replyTopic("exchange", "i1")]) {
      expect([key, may("uva", "sends", key)]).toEqual([key, true]);
    }
  });

  it("sends to no step, gather or reply of another", () => {
    for (const key of ["vu.sql-query", "vu.gather", "surf.sql-aggregate", "exchange.policy-enforcer", "reply.vu.i1"]) {
      expect([key, may("uva", "sends", key)]).toEqual([key, false]);
    }
  });

  it("sends tables of its own alone, to itself, a compute provider or the asker", () => {
    for (const to of ["UVA", "SURF", "exchange"]) {
      expect([to, may("uva", "sends", transferName("UVA", to, "1"))]).toEqual([to, true]);
    }
    expect(may("uva", "sends", transferName("UVA", "VU", "1"))).toBe(false);
    expect(may("uva", "sends", transferName("VU", "SURF", "1"))).toBe(false);
  });

  it("reads the tables that are for it and not those that it sent", () => {
    expect(may("surf", "reads", transferName("UVA", "SURF", "1"))).toBe(true);
    expect(may("uva", "reads", transferName("UVA", "SURF", "1"))).toBe(false);
    expect(may("vu", "reads", transferName("UVA", "SURF", "1"))).toBe(false);
  });
});

describe("the broker user of a compute provider", () => {
  it("sends to itself and to the asker", () => {
    for (const key of ["surf.sql-aggregate", "surf.gather", replyTopic("exchange", "i1")]) {
      expect([key, may("surf", "sends", key)]).toEqual([key, true]);
    }
    expect(may("surf", "sends", "uva.sql-query")).toBe(false);
  });
});

describe("the broker user of the exchange", () => {
  it("starts steps of every party, and sends no part to a gather", () => {
    for (const party of ["UVA", "VU", "SURF"]) {
      expect(may("exchange", "sends", stepTopic(party, "sql-query"))).toBe(true);
      expect(may("exchange", "sends", gatherTopic(party))).toBe(false);
    }
  });

  it("is the only one that cancels, and everyone gets it", () => {
    const cancelled = rights("exchange").sends.filter(({ pattern }) => pattern === "control.cancel");
    expect(cancelled.map(({ to }) => to).sort()).toEqual(["exchange", "surf", "uva", "vu"]);
    for (const { user } of brokerRights(parties)) {
      expect([user, may(user, "sends", "control.cancel")]).toEqual([user, user === "exchange"]);
    }
  });
});

describe("the broker users", () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}([-_][A-Za-z0-9]{1,3})?$/);
  const role = fc.constantFrom("exchange", "dataProvider", "computeProvider");
  const world = fc
    .uniqueArray(fc.record({ name, roles: fc.uniqueArray(role, { minLength: 1 }) }), {
      minLength: 2,
      maxLength: 6,
      selector: (one) => one.name.toLowerCase(),
    })
    .filter((all) => all.every((one) => !/^(amq|control|dynamos|reply|transfer)$/i.test(one.name)));

  it("have no queue in common, whatever their roles and names", () => {
    fc.assert(
      fc.property(world, fc.constantFrom<Right>("declares", "writes", "reads"), (all, right) => {
        for (const { name: owner } of all) {
          const own = [
            stepTopic(owner, "sql-query"),
            gatherTopic(owner),
            retryQueue(owner, 50),
            returnsQueue(owner),
            `${owner.toLowerCase()}.#`,
            replyTopic(owner, "i1"),
          ];
          for (const { user } of brokerRights(all)) {
            const expected = user === owner.toLowerCase();
            for (const queue of own)
              expect([user, queue, may(user, right, queue, all)]).toEqual([user, queue, expected]);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it("send what is for one party to no other", () => {
    fc.assert(
      fc.property(world, (all) => {
        for (const { sends } of brokerRights(all)) {
          for (const { pattern, to } of sends) {
            const words = pattern.split(".");
            const receiver = words[0] === "reply" ? words[1] : words[0];
            if (words[0] === "transfer") expect(words[1]).toBe(to);
            else if (pattern !== "control.cancel") expect(receiver).toBe(to);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it("may not take away the exchanges that hold them to their role", () => {
    for (const name of ["uva.in", "uva.out", "vu.in", "vu.out"]) expect(may("uva", "declares", name)).toBe(false);
    for (const name of ["vu.in", "vu.out"]) expect(may("uva", "writes", name)).toBe(false);
    for (const name of ["vu.in", "vu.out"]) expect(may("uva", "reads", name)).toBe(false);
  });

  it("are refused when two parties differ in case alone", () => {
    const all = [...parties, { name: "Uva", roles: ["dataProvider"] }];
    expect(() => brokerRights(all)).toThrow("the parties UVA and Uva would have one broker user");
  });

  it.each(["Reply", "transfer", "control", "dynamos", "amq"])("are refused for a party named %s", (reserved) => {
    expect(() => brokerRights([{ name: reserved, roles: ["dataProvider"] }])).toThrow(
      `no party may be named ${reserved}`,
    );
  });
});
