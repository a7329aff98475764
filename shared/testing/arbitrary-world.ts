/** Made-up parties, agreements, archetypes and steps, small enough that most of them meet. */
import fc from "fast-check";
import { Agreement, type ColumnList, Knowledge, Query, type Relation } from "#contracts";

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
export const user = "user@example.org";

/** As a rule the whole list: in a world where everything is against everybody nothing runs. */
const some = <T>(list: readonly T[]): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant<T[]>([...list]) }, { weight: 1, arbitrary: fc.subarray<T>([...list]) });
/** Often few, so that what is allowed differs between stewards. */
const few = (list: readonly string[]) => fc.oneof(some(list), fc.subarray([...list], { minLength: 1, maxLength: 2 }));
/** Absent as a rule. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

export const arbitraryRelation: fc.Arbitrary<Relation> = fc.record({
  id: fc.constantFrom("", "GUID", "GUID", "u1", "u1", "u2"),
  requestTypes: some(["ask", "other"]),
  dataSets: some(["d1", "d2"]),
  allowedArchetypes: few([...archetypes, "archetypeOfNobody"]),
  allowedComputeProviders: few(thirdParties),
  allowedAlgorithms: rarely(fc.record({ names: fc.subarray(["rows", "average"]) })),
  allowedColumns: rarely(fc.constant<ColumnList>({ tables: [{ table: "t", columns: ["a", "b"] }] })),
  deniedColumns: rarely(fc.constant<ColumnList>({ tables: [{ table: "T", columns: ["B", "c"] }] })),
  rowFilters: fc
    .array(fc.record({ table: fc.constantFrom("t", "u"), predicate: fc.constantFrom("a > 1", "a > 2") }), {
      maxLength: 2,
    })
    .filter((filters) => new Set(filters.map(({ table }) => table)).size === filters.length),
  aggregatesOnly: fc.boolean(),
  minimumGroupSize: fc.constantFrom(0, 0, 5),
  maximumRows: rarely(fc.constantFrom(1, 1_000)),
  purposes: rarely(fc.record({ names: fc.subarray(["study", "audit"]) })),
  queriesPerPeriod: rarely(fc.record({ max: fc.nat(2), periodMs: fc.constantFrom(1_000, 86_400_000) })),
  resultRecipients: rarely(fc.record({ names: fc.subarray(["requestor", "steward"]) })),
  validFromMs: rarely(fc.constantFrom(0, 100, 101)),
  validUntilMs: rarely(fc.constantFrom(50, 100, 101)),
});

/** Of an agreement, without its relations. */
export const arbitraryTerms = fc.record({
  computeProviders: some(thirdParties),
  archetypes: some(archetypes),
  demandedSteps: fc
    .oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, fc.subarray(["clean", "mask", "draw", "union"]))
    .map((names) => ({ ask: { names } })),
  revision: fc.nat(9),
});

const agreement = (name: string) =>
  fc
    .record({
      relation: fc.option(arbitraryRelation, { freq: 12 }),
      stranger: arbitraryRelation,
      terms: arbitraryTerms,
    })
    .map(({ relation: own, stranger, terms }) =>
      Agreement.fromPartial({
        ...terms,
        name,
        relations: { "stranger@example.org": stranger, ...(own === null ? {} : { [user]: own }) },
      }),
    );

const archetype = (name: string) =>
  fc.record({
    name: fc.constant(name),
    computeProvider: fc.constant(homeArchetypes.includes(name) ? "dataProvider" : "other"),
    resultRecipient: fc.constantFrom("requestor", "requestor", "requestor", "steward", ""),
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
    usage: fc
      .tuple(...providers.map((provider) => fc.record({ provider: fc.constant(provider), queries: fc.nat(2) })))
      .chain((all) => some(all)),
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
    purpose: fc.constantFrom("study", "study", "audit", ""),
  })
  .map((fields) => Query.fromPartial(fields as Partial<Query>));

export const arbitraryWorld: fc.Arbitrary<World> = fc.record({ knowledge, query, nowMs: fc.constant(100) });

const load = fc.constantFrom(undefined, undefined, 0.1, 0.79, 0.8, 1);

/** Of whose parties some say their load. */
export const arbitraryLoadedWorld: fc.Arbitrary<World> = fc
  .tuple(arbitraryWorld, fc.array(load, { minLength: 7, maxLength: 7 }))
  .map(([world, loads]) => {
    const parties = world.knowledge.parties.map((one, index) => ({ ...one, load: loads[index] }));
    return { ...world, knowledge: { ...world.knowledge, parties } };
  });
