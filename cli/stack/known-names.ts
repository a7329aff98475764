/** Names that somebody reads. What is not among them may be a step's own; what nearly is, is a misspelling. */

/** Of of-watchdog 0.10.9. */
const watchdogEnvironment = [
  "fprocess",
  "function_process",
  "mode",
  "upstream_url",
  "http_upstream_url",
  "http_buffer_req_body",
  "port",
  "read_timeout",
  "write_timeout",
  "exec_timeout",
  "healthcheck_interval",
  "max_inflight",
  "ready_path",
  "content_type",
  "static_path",
  "prefix_logs",
  "log_buffer_size",
  "log_callid",
  "suppress_lock",
  "jwt_auth",
  "jwt_auth_debug",
];

/** Of our functions and their runtime. */
const ownEnvironment = [
  "approval_key_file",
  "approval_keys_file",
  "cache_dir",
  "callers_waiting",
  "concurrency",
  "data_dir",
  "drain_ms",
  "duckdb_memory_mb",
  "duckdb_threads",
  "exchange_party",
  "fuse",
  "heap_mb",
  "http_host",
  "http_port",
  "memory_mb",
  "party",
  "pool_size",
  "rate_limit_per_minute",
  "result_cache_mb",
  "result_cache_seconds",
  "running_queries_max",
  "sidecar_address",
  "token_audience",
  "token_claims",
  "token_clock_skew_s",
  "token_issuer",
  "token_jwks_file",
  "token_jwks_url",
  "worker_backend",
  "worker_environment",
  "worker_network",
  "worker_start_ms",
];

/** Of the official Node templates, which a plain handler of ours reads too. */
const nodeTemplateEnvironment = ["RAW_BODY", "MAX_RAW_SIZE", "MAX_JSON_SIZE"];

export const knownEnvironment: readonly string[] = [
  ...watchdogEnvironment,
  ...ownEnvironment,
  ...nodeTemplateEnvironment,
];

/** Those whose values are durations. */
export const durationEnvironment = ["read_timeout", "write_timeout", "exec_timeout", "healthcheck_interval"] as const;

/** Annotations that OpenFaaS, its connectors or our sidecars read. */
export const knownAnnotations: readonly string[] = [
  "topic",
  "schedule",
  "com.dynamos.party",
  "com.dynamos.concurrency",
  "com.dynamos.fuse",
  "com.openfaas.health.http.path",
  "com.openfaas.health.http.initialDelay",
  "com.openfaas.health.http.periodSeconds",
  "com.openfaas.ready.http.path",
  "com.openfaas.ready.http.initialDelay",
  "com.openfaas.ready.http.periodSeconds",
  "com.openfaas.queue",
  "com.openfaas.retry.attempts",
  "com.openfaas.retry.codes",
  "com.openfaas.retry.min_wait",
  "com.openfaas.retry.max_wait",
  "com.openfaas.serviceaccount",
];

/** Labels by which OpenFaaS scales. */
export const knownLabels: readonly string[] = [
  "com.openfaas.scale.min",
  "com.openfaas.scale.max",
  "com.openfaas.scale.factor",
  "com.openfaas.scale.zero",
  "com.openfaas.scale.zero-duration",
  "com.openfaas.scale.target",
  "com.openfaas.scale.type",
  "com.openfaas.scale.target-proportion",
];
