/** The environment that a worker gets: what is named here and nothing else of the function's own. */
import type { Environment } from "./config.ts";

const allowed = [
  "PATH",
  "TZ",
  "LANG",
  "data_dir",
  "cache_dir",
  "duckdb_memory_mb",
  "duckdb_threads",
  "fuse",
  "party",
  "approval_keys_file",
];

/** `worker_environment` may name more, separated by commas. */
export function workerEnvironment(environment: Environment): Record<string, string> {
  const more = (environment.worker_environment ?? "").split(",").map((name) => name.trim());
  // libuv would make four threads for a process of one call; each has memory of its own.
  const result: Record<string, string> = { UV_THREADPOOL_SIZE: "1" };
  for (const name of [...allowed, ...more]) {
    const value = environment[name];
    // Node reads a set NODE_EXTRA_CA_CERTS at each start, for 40 ms; a worker opens no TLS connection.
    if (value !== undefined && name !== "" && name !== "NODE_EXTRA_CA_CERTS") {
      result[name] = value;
    }
  }
  return result;
}
