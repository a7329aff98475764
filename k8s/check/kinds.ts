/** The kinds that k8s/ uses, and what says how each looks. */

/** By `apiVersion kind`: the model of @kubernetes/client-node, or a schema beside this file. */
export const kinds: Readonly<Record<string, { readonly model: string } | { readonly schema: string }>> = {
  "v1 ConfigMap": { model: "V1ConfigMap" },
  "v1 Namespace": { model: "V1Namespace" },
  "v1 PersistentVolumeClaim": { model: "V1PersistentVolumeClaim" },
  "v1 Service": { model: "V1Service" },
  "v1 ServiceAccount": { model: "V1ServiceAccount" },
  "apps/v1 Deployment": { model: "V1Deployment" },
  "apps/v1 StatefulSet": { model: "V1StatefulSet" },
  "batch/v1 Job": { model: "V1Job" },
  "autoscaling/v2 HorizontalPodAutoscaler": { model: "V2HorizontalPodAutoscaler" },
  "networking.k8s.io/v1 Ingress": { model: "V1Ingress" },
  "networking.k8s.io/v1 NetworkPolicy": { model: "V1NetworkPolicy" },
  "policy/v1 PodDisruptionBudget": { model: "V1PodDisruptionBudget" },
  "monitoring.coreos.com/v1 PrometheusRule": { schema: "prometheus-rule.schema.json" },
  "monitoring.coreos.com/v1 ServiceMonitor": { schema: "service-monitor.schema.json" },
};

/** Of no namespace. */
export const clusterKinds: readonly string[] = ["Namespace"];
