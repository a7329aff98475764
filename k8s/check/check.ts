/** Everything that is checked about a set of manifests, in one place. */
import { join } from "node:path";
import { readStack, type Stack } from "../../cli/stack/read-stack.ts";
import { podsElsewhere } from "./elsewhere.ts";
import { policyFaults } from "./flows.ts";
import { hostFaults } from "./hosts.ts";
import { type Manifest, titleOf } from "./manifest.ts";
import { type Metrics, metricFaults, readMetrics } from "./metrics.ts";
import { podSecurityFaults } from "./pod-security.ts";
import { type Programs, programFaults, readPrograms } from "./programs.ts";
import { type DocumentedSecrets, referenceFaults } from "./references.ts";
import { documentedSecrets } from "./secrets.ts";
import { settingFaults } from "./settings.ts";
import { typeFaults } from "./typed.ts";

/** What manifests are compared with. */
export interface Known {
  readonly stack: Stack;
  readonly programs: Programs;
  readonly metrics: Metrics;
  readonly secrets: DocumentedSecrets;
}

/** @param home the checkout */
export async function readKnown(home: string): Promise<Known> {
  const stack = await readStack(join(home, "stack.yml"), { environment: {} });
  return {
    stack,
    programs: await readPrograms(home, stack),
    metrics: await readMetrics(),
    secrets: await documentedSecrets(join(home, "docs/kubernetes.md")),
  };
}

/** One sentence for each fault; what stands on types is looked at when they are right. */
export function faultsOf(manifests: readonly Manifest[], { stack, programs, metrics, secrets }: Known): string[] {
  const types = manifests.flatMap((one) => typeFaults(one).map((fault) => `${titleOf(one)}: ${fault}`));
  if (types.length > 0) return types;
  return [
    ...podSecurityFaults(manifests),
    ...referenceFaults(manifests, secrets),
    ...policyFaults(manifests, podsElsewhere(stack)),
    ...hostFaults(manifests),
    ...programFaults(manifests, programs),
    ...metricFaults(manifests, metrics),
    ...settingFaults(manifests),
  ];
}
