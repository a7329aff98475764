/** What a part of a newer version sends to one of this version: nothing of it may harm, whichever is replaced first. */
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryExchange } from "#adapters/memory/broker";
import { systemClock } from "#adapters/system/clock";
import { Envelope, type ErrorCode, Outcome, Reply } from "#contracts";
import { agreementKey } from "#domain/knowledge-keys";
import { forwardResult } from "#domain/outcome";
import { labelOf, rowOf } from "#errors";
import type { Broker } from "#ports/broker";
import { type ActedWorld, openActedWorld } from "../acted-world.ts";

/** Field 4000, bytes, and field 4001, a number: as a message is written that has more fields than this version knows. */
const unknownFields = Buffer.from([0x82, 0xfa, 0x01, 3, 1, 2, 3, 0x88, 0xfa, 0x01, 42]);
const user = "researcher@example.org";

let acted: ActedWorld | undefined;
afterEach(() => acted?.world.close());

/** Every message is sent as by a newer version. */
function newer(broker: Broker): Broker {
  const publish: Broker["publish"] = (message) =>
    broker.publish({ ...message, body: Buffer.concat([message.body, unknownFields]) });
  return new Proxy(broker, {
    get: (target, name) => {
      if (name === "publish") return publish;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function open(): Promise<ActedWorld> {
  const exchange = createMemoryExchange(systemClock);
  acted = await openActedWorld(async (party) => newer(exchange.connect({ party })));
  return acted;
}

describe("messages with fields that this version does not know", () => {
  it.each([
    ["at home", {}, ["UVA", "VU"]],
    ["at the third party", { aggregate: true }, ["SURF"]],
  ])("are carried out %s as if they had none", async (_, options, parties) => {
    const { world } = await open();
    const { status, body } = await world.ask({ sql: "SELECT 1", providers: ["UVA", "VU"], options });
    const from = ((body.results ?? []) as { party: string }[]).map(({ party }) => party).sort();
    expect({ status, from, refused: body.refused }).toEqual({ status: 200, from: parties, refused: [] });
  });

  it("are read without them, and so do not go on to the next part", () => {
    const outcome = forwardResult({ table: undefined, chart: undefined, document: undefined });
    const bytes = Outcome.encode(outcome).finish();
    const read = Outcome.decode(Buffer.concat([bytes, unknownFields]));
    expect(Buffer.from(Outcome.encode(read).finish())).toEqual(Buffer.from(bytes));
    for (const codec of [Envelope, Reply]) expect(codec.decode(unknownFields)).toEqual(codec.decode(Buffer.alloc(0)));
  });
});

it("an error of which this version does not know the code is an internal one, and not tried again", () => {
  const code = 9_999 as ErrorCode;
  expect([labelOf(code), rowOf(code).httpStatus, rowOf(code).delivery]).toEqual(["INTERNAL", 500, "dead-letter"]);
});

it("an agreement with a field that this version does not know allows nothing: it may be a restriction", async () => {
  const { world } = await open();
  const entry = await world.knowledge.get(agreementKey("UVA"));
  const agreement = { ...JSON.parse(entry?.value ?? "{}"), onlyOnWeekdays: true };
  await world.knowledge.put(agreementKey("UVA"), JSON.stringify(agreement));
  const { body } = await world.ask({ sql: "SELECT 1", providers: ["UVA", "VU"], user: { id: "", name: user } });
  const from = ((body.results ?? []) as { party: string }[]).map(({ party }) => party);
  const refused = ((body.refused ?? []) as { provider: string }[]).map(({ provider }) => provider);
  expect({ from, refused }).toEqual({ from: ["VU"], refused: ["UVA"] });
});
