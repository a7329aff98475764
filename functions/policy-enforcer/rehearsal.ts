/** Made-up input with which the step runs once before it says that it is ready. */
import { Envelope } from "#contracts";

export const rehearsalEnvelope = Envelope.fromPartial({
  queryId: "rehearsal",
  party: "exchange",
  step: "policy-enforcer",
  query: {
    id: "rehearsal",
    requestType: "rehearsal",
    user: { name: "nobody" },
    providers: ["A", "B"],
    sql: "SELECT 1",
  },
  knowledge: {
    parties: [{ name: "A", roles: ["dataProvider"], online: true }],
    dataSets: [{ name: "d", party: "A" }],
    agreements: [
      {
        name: "A",
        archetypes: ["home"],
        computeProviders: ["C"],
        relations: {
          nobody: {
            requestTypes: ["rehearsal"],
            dataSets: ["d"],
            allowedArchetypes: ["home"],
            allowedComputeProviders: ["C"],
            allowedAlgorithms: { names: ["rows"] },
            allowedColumns: { tables: [{ table: "t", columns: ["c"] }] },
            validFromMs: 0,
          },
        },
      },
    ],
  },
});
