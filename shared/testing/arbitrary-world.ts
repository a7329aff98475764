/** Made-up parties, agreements, archetypes and steps, small enough that most of them meet. */
import fc from "fast-check";
import { Agreement, type ColumnList, Knowledge, Query } from "#contracts";

export interface World {
  readonly knowledge: Knowledge;
  readonly query: Query;
  readonly nowMs: number;
}

const providers = ["P1", "P2", "P3", "P4"];
const thirdParties = ["T1", "T2", "T3"];
const homeArchetypes = ["home1", "home2"];
const thirdArchetypes = ["third1", "third2"];
const archetypes = [...homeArchetypes, ...thirdArchetypes];
const dataSteps = ["read", "clean", "mask"];
const computeSteps = ["union", "compute", "draw"];
const steps = [...dataSteps, ...computeSteps];
const user = "user@example.org";

/** As a rule the whole list: in a world where everything is against everybody nothing runs. */
const some = <T>(list: readonly T[]): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant<T[]>([...list]) }, { weight: 1, arbitrary: fc.subarray<T>([...list]) });
/** Often few, so that what is allowed differs between stewards. */
const few = (list: readonly string[]) => fc.oneof(some(list), fc.subarray([...list], { minLength: 1, maxLength: 2 }));
/** Absent as a rule. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const relation = fc.record({
  id: fc.constantFrom("", "GUID", "GUID", "u1", "u1", "u2"),
  requestTypes: some(["ask", "other"]),
  dataSets: some(["d1", "d2"]),
  allowedArchetypes: few([...archetypes, "undefinedArchetype"]),
  allowedComputeProviders: few(thirdParties),
  allowedAlgorithms: rarely(fc.record({ names: fc.subarray(["rows", "average"]) })),
  allowedColumns: rarely(fc.constant<ColumnList>({ tables: [{ table: "t", columns: ["a", "b"] }] })),
  validFromMs: rarely(fc.constantFrom(0, 100, 101)),
  validUntilMs: rarely(fc.constantFrom(50, 100, 101)),
});

const agreement = (name: string) =>
  fc
    .record({
      relation: fc.option(relation, { freq: 12 }),
      stranger: relation,
      computeProviders: some(thirdParties),
      archetypes: some(archetypes),
      demanded: fc.oneof(
        { weight: 2, arbitrary: fc.constant<string[]>([]) },
        fc.subarray(["clean", "mask", "draw", "union"]),
      ),
      revision: fc.nat(9),
    })
    .map(({ relation: own, stranger, demanded, ...rest }) =>
      Agreement.fromPartial({
        ...rest,
        name,
        relations: { "stranger@example.org": stranger, ...(own === null ? {} : { [user]: own }) },
        demandedSteps: { ask: { names: demanded } },
      }),
    );

const archetype = (name: string) =>
  fc.record({
    name: fc.constant(name),
    computeProvider: fc.constant(homeArchetypes.includes(name) ? "dataProvider" : "other"),
    weight: fc.constantFrom(1, 2, 3),
  });

/** As a rule a catalogue in which each step may hand on to each later one; sometimes one with holes or a cycle. */
const step = (name: string, index: number) =>
  fc.record({
    name: fc.constant(name),
    label: fc.constant(dataSteps.includes(name) ? "dataProvider" : "computeProvider"),
    allowedOutputs: fc.oneof(
      { weight: 30, arbitrary: fc.constant(steps.slice(index + 1)) },
      { weight: 1, arbitrary: fc.subarray(steps) },
    ),
    invalidArchetypes: fc.oneof(
      { weight: 12, arbitrary: fc.constant<string[]>([]) },
      fc.subarray(archetypes, { maxLength: 2 }),
    ),
  });

const party = (name: string) =>
  fc.record({
    name: fc.constant(name),
    roles: providers.includes(name) ? fc.constant<string[]>(["dataProvider"]) : some(["computeProvider"]),
    online: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  });

const requestType = fc.record({
  name: fc.constant("ask"),
  requiredSteps: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.constantFrom<string[]>(["read", "compute"], ["read", "compute"], ["read", "union", "compute"]),
    },
    // Of these no chain can begin.
    { weight: 1, arbitrary: fc.constantFrom<string[]>(["compute"], []) },
  ),
  optionalSteps: fc.constant({ clean: "clean", draw: "graph", union: "aggregate" }),
});

const flag = fc.option(fc.boolean(), { nil: undefined });
const options = fc
  .record({ aggregate: flag, split: flag, graph: flag, clean: flag })
  .map((flags) =>
    Object.fromEntries(Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  );

const tupleOf = <T>(names: readonly string[], make: (name: string, index: number) => fc.Arbitrary<T>) =>
  fc.tuple(...names.map(make));

const knowledge = fc
  .record({
    agreements: tupleOf(providers, agreement).chain((all) => some(all)),
    parties: tupleOf([...providers, ...thirdParties], party),
    archetypes: tupleOf(archetypes, archetype).chain((all) => some(all)),
    requestTypes: requestType.map((one) => [one]),
    steps: tupleOf(steps, step),
    dataSets: fc.constant(providers.flatMap((name) => ["d1", "d2"].map((set) => ({ name: set, party: name })))),
  })
  .map((fields) => Knowledge.fromPartial(fields));

const query = fc
  .record({
    id: fc.constant("q"),
    requestType: fc.oneof({ weight: 12, arbitrary: fc.constant("ask") }, fc.constant("other")),
    user: fc.record({ id: fc.constantFrom("u1", "u1", "u1", ""), name: fc.constant(user) }),
    providers: fc.array(fc.constantFrom(...providers, ...providers, "Atlantis"), {
      minLength: 1,
      maxLength: 6,
      size: "max",
    }),
    dataSets: fc.oneof(fc.constant<string[]>([]), fc.subarray(["d1", "d2"])),
    algorithm: fc.constantFrom(undefined, { name: "average" }),
    options,
  })
  .map((fields) => Query.fromPartial(fields as Partial<Query>));

export const arbitraryWorld: fc.Arbitrary<World> = fc.record({ knowledge, query, nowMs: fc.constant(100) });
