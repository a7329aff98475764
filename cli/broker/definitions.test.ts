import { describe, expect, it } from "vitest";
import { definitionsOf } from "./definitions.ts";
import { newPassword, passwordHash } from "./password-hash.ts";

const parties = [
  { name: "exchange", roles: ["exchange"] },
  { name: "UVA", roles: ["dataProvider"] },
  { name: "SURF", roles: ["computeProvider"] },
];
const made = definitionsOf({ parties, vhost: "v", passwordHashes: new Map([["uva", "h"]]) });

describe("the definitions of a vhost", () => {
  it("have a user for each party, without tags, and with a password only where one was given", () => {
    expect(made.users).toEqual(
      ["exchange", "surf", "uva"].map((name) => ({
        name,
        password_hash: name === "uva" ? "h" : "",
        hashing_algorithm: "rabbit_password_hashing_sha256",
        tags: [],
      })),
    );
  });

  it("have one row of permissions for each user, whole names only, in the vhost alone", () => {
    expect(made.vhosts).toEqual([{ name: "v" }]);
    for (const rows of [made.permissions, made.topic_permissions]) {
      expect(rows.map(({ user }) => user)).toEqual(["exchange", "surf", "uva"]);
      expect(rows.every(({ vhost }) => vhost === "v")).toBe(true);
    }
    for (const { configure, write, read } of made.permissions) {
      for (const one of [configure, write, read]) expect(one).toMatch(/^\^\(.+\)\$$/);
    }
  });

  it("bind each party's outlet to the inlets of those that it may send to, and to no other", () => {
    const routes = made.bindings.map(({ source, destination, routing_key: key }) => `${source} ${key} ${destination}`);
    expect(routes.filter((route) => route.startsWith("uva.out"))).toEqual([
      "uva.out uva.# uva.in",
      "uva.out reply.uva.# uva.in",
      "uva.out transfer.uva.exchange.* uva.in",
      "uva.out transfer.uva.surf.* uva.in",
      "uva.out transfer.uva.uva.* uva.in",
      "uva.out surf.gather surf.in",
      "uva.out reply.exchange.* exchange.in",
    ]);
    expect(routes.filter((route) => route.includes("control.cancel"))).toEqual(
      ["exchange", "surf", "uva"].map((party) => `exchange.out control.cancel ${party}.in`),
    );
  });

  it("are the same whatever the order of the parties", () => {
    const turned = definitionsOf({
      parties: [...parties].reverse(),
      vhost: "v",
      passwordHashes: new Map([["uva", "h"]]),
    });
    expect(turned).toEqual(made);
  });
});

describe("a password", () => {
  it("is held as RabbitMQ does: base64 of four bytes of salt and the SHA-256 of salt and password", () => {
    // The example of rabbitmq.com/docs/passwords.
    expect(passwordHash("test12", Buffer.from("908DC60A", "hex"))).toBe(
      "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR",
    );
  });

  it("is salted anew each time", () => {
    expect(passwordHash("a")).not.toBe(passwordHash("a"));
  });

  it("is made of letters that a URL takes as they are, and is never the same", () => {
    const some = Array.from({ length: 50 }, newPassword);
    expect(new Set(some).size).toBe(50);
    for (const one of some) expect(encodeURIComponent(one)).toBe(one);
  });
});
