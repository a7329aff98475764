/** Made-up input with which the step runs once before it says that it is ready. */
import { Envelope } from "#contracts";

const terms = { archetypes: ["third"], computeProviders: ["C"], dataSets: ["d"] };

export const rehearsalEnvelope = Envelope.fromPartial({
  queryId: "rehearsal",
  party: "exchange",
  step: "archetype-selector",
  attempt: 1,
  query: {
    id: "rehearsal",
    requestType: "rehearsal",
    user: { name: "nobody" },
    providers: ["A", "B"],
    sql: "SELECT 1",
  },
  inputs: [
    {
      payload: {
        content: {
          $case: "decision",
          value: {
            verdicts: [
              { provider: "A", decision: { $case: "terms", value: terms } },
              { provider: "B", decision: { $case: "refusal", value: { reasons: [] } } },
            ],
            approvals: [{ queryId: "rehearsal", provider: "A", terms }],
          },
        },
      },
    },
  ],
  knowledge: {
    parties: [
      { name: "A", online: true },
      { name: "C", online: true },
    ],
    archetypes: [{ name: "third", computeProvider: "other", weight: 1 }],
    requestTypes: [{ name: "rehearsal", requiredSteps: ["read", "compute"] }],
    steps: [
      { name: "read", label: "dataProvider", allowedOutputs: ["compute"] },
      { name: "compute", label: "computeProvider" },
    ],
  },
});
