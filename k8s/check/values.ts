/** What the types leave open and the API server does not: words of a closed list, names, quantities, addresses. */

const words: Readonly<Record<string, readonly string[]>> = {
  "V1ServiceSpec.type": ["ClusterIP", "LoadBalancer"],
  "V1ServiceSpec.externalTrafficPolicy": ["Cluster", "Local"],
  "V1ContainerPort.protocol": ["TCP", "UDP"],
  "V1ServicePort.protocol": ["TCP", "UDP"],
  "V1NetworkPolicyPort.protocol": ["TCP", "UDP"],
  "V1NetworkPolicySpec.policyTypes": ["Ingress", "Egress"],
  "V1HTTPIngressPath.pathType": ["Prefix", "Exact"],
  "V1PodSpec.restartPolicy": ["Always", "OnFailure", "Never"],
  "V1SeccompProfile.type": ["RuntimeDefault"],
  "V1PodSecurityContext.fsGroupChangePolicy": ["OnRootMismatch", "Always"],
  "V1StatefulSetSpec.podManagementPolicy": ["Parallel", "OrderedReady"],
  "V1TopologySpreadConstraint.whenUnsatisfiable": ["ScheduleAnyway", "DoNotSchedule"],
  "V1PersistentVolumeClaimSpec.accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"],
  "V1LabelSelectorRequirement.operator": ["In", "NotIn", "Exists", "DoesNotExist"],
  "V2MetricSpec.type": ["External", "Resource"],
  "V2MetricTarget.type": ["AverageValue", "Value", "Utilization"],
  "V2HPAScalingPolicy.type": ["Pods", "Percent"],
  "V1Capabilities.drop": ["ALL"],
  "V1EmptyDirVolumeSource.medium": ["Memory"],
};

const quantity = /^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
/** RFC 1123. */
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const forms: Readonly<Record<string, { readonly form: RegExp; readonly says: string }>> = {
  "V1ResourceRequirements.limits": { form: quantity, says: "a quantity such as 256Mi or 100m" },
  "V1ResourceRequirements.requests": { form: quantity, says: "a quantity such as 256Mi or 100m" },
  "V1VolumeResourceRequirements.requests": { form: quantity, says: "a quantity such as 10Gi" },
  "V1EmptyDirVolumeSource.sizeLimit": { form: quantity, says: "a quantity such as 64Mi" },
  "V2MetricTarget.averageValue": { form: quantity, says: "a quantity" },
  "V1ObjectMeta.name": { form: label, says: "a name of small letters, digits and dashes" },
  "V1ObjectMeta.namespace": { form: label, says: "a name of small letters, digits and dashes" },
  "V1Container.name": { form: label, says: "a name of small letters, digits and dashes" },
  "V1Volume.name": { form: label, says: "a name of small letters, digits and dashes" },
  "V1ContainerPort.name": {
    form: /^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/,
    says: "a port's name, 15 signs at most",
  },
  "V1ServicePort.name": { form: label, says: "a name of small letters, digits and dashes" },
  "V1EnvVar.name": { form: /^[A-Za-z_][A-Za-z0-9_]*$/, says: "the name of a variable" },
  "V1IPBlock.cidr": {
    form: /^(\d{1,3}\.){3}\d{1,3}\/([0-9]|[12]\d|3[0-2])$/,
    says: "an address block such as 192.0.2.0/24",
  },
  "V1ServiceSpec.loadBalancerSourceRanges": {
    form: /^(\d{1,3}\.){3}\d{1,3}\/([0-9]|[12]\d|3[0-2])$/,
    says: "an address block such as 192.0.2.0/24",
  },
  "V1VolumeMount.mountPath": { form: /^\/[^:]*$/, says: "an absolute path" },
};

/** Ports, and the numbers that are seconds or counts. */
const ranges: Readonly<Record<string, readonly [min: number, max: number]>> = {
  "V1ContainerPort.containerPort": [1, 65_535],
  "V1ServicePort.port": [1, 65_535],
  "V1StatefulSetSpec.replicas": [0, 100],
  "V1DeploymentSpec.replicas": [0, 100],
  "V1SecretVolumeSource.defaultMode": [0, 0o777],
  "V1ProjectedVolumeSource.defaultMode": [0, 0o777],
  "V1Probe.periodSeconds": [1, 3_600],
  "V1Probe.timeoutSeconds": [1, 3_600],
  "V1Probe.failureThreshold": [1, 1_000],
  "V1PodSpec.terminationGracePeriodSeconds": [0, 86_400],
};

/** @param owner `V1Container.image`. @returns what is wrong with the value */
export function valueFault(owner: string, value: unknown): string | undefined {
  const list = words[owner];
  if (list !== undefined && !list.includes(String(value))) return `must be ${list.join(" or ")}`;
  const form = forms[owner];
  if (form !== undefined && !form.form.test(String(value))) return `must be ${form.says}`;
  const range = ranges[owner];
  if (range !== undefined && (Number(value) < range[0] || Number(value) > range[1])) {
    return `must be from ${range[0]} to ${range[1]}`;
  }
  return undefined;
}
