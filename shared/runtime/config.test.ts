import { describe, expect, it } from "vitest";
import { readRuntimeConfig } from "./config.ts";
import { workerEnvironment } from "./worker-environment.ts";

describe("a function's config", () => {
  it("has its defaults", () => {
    expect(readRuntimeConfig({})).toMatchObject({ port: 3000, host: "127.0.0.1", poolSize: 2, concurrency: 4 });
  });

  it("takes http_port before port, which is of-watchdog's too", () => {
    expect(readRuntimeConfig({ port: "8080" }).port).toBe(8080);
    expect(readRuntimeConfig({ port: "8080", http_port: "0" }).port).toBe(0);
  });

  it("gives the heap half of the memory unless told", () => {
    expect(readRuntimeConfig({ memory_mb: "200" }).heapMb).toBe(100);
    expect(readRuntimeConfig({ memory_mb: "200", heap_mb: "50" }).heapMb).toBe(50);
  });

  it("forks workers where it can, with a network where the data is there, unless told", () => {
    expect(readRuntimeConfig({})).toMatchObject({ workerBackend: "auto", workerNetwork: undefined });
    expect(readRuntimeConfig({ worker_network: "none" })).toMatchObject({ workerNetwork: false });
    const settings = { worker_backend: "spawn", worker_network: "host" };
    expect(readRuntimeConfig(settings)).toMatchObject({ workerBackend: "spawn", workerNetwork: true });
  });

  it.each([
    ["worker_backend", "zygote", "auto, fork, spawn"],
    ["worker_network", "on", "auto, none, host"],
  ])("does not start with %s=%s", (name, value, allowed) => {
    expect(() => readRuntimeConfig({ [name]: value })).toThrow(
      `environment variable ${name} must be one of ${allowed}`,
    );
  });

  it.each([
    ["pool_size", "two"],
    ["pool_size", "0"],
    ["concurrency", "1e3"],
    ["drain_ms", "-1"],
    ["http_port", "65536"],
    ["heap_mb", "2000"],
  ])("does not start with %s=%s", (name, value) => {
    expect(() => readRuntimeConfig({ [name]: value })).toThrow(`environment variable ${name} must be a whole number`);
  });
});

describe("a worker's environment", () => {
  const environment = { PATH: "/bin", data_dir: "/data", SECRET: "s", mine: "m", NODE_EXTRA_CA_CERTS: "/ca" };
  const oneThread = { UV_THREADPOOL_SIZE: "1" };

  it("holds what is allowed and nothing else of the function's", () => {
    expect(workerEnvironment(environment)).toEqual({ ...oneThread, PATH: "/bin", data_dir: "/data" });
  });

  it("holds what worker_environment names", () => {
    const worker_environment = "mine, NODE_EXTRA_CA_CERTS,absent";
    expect(workerEnvironment({ ...environment, worker_environment })).toEqual({
      ...oneThread,
      PATH: "/bin",
      data_dir: "/data",
      mine: "m",
    });
  });

  it("holds more threads where worker_environment names them", () => {
    const more = { UV_THREADPOOL_SIZE: "4", worker_environment: "UV_THREADPOOL_SIZE" };
    expect(workerEnvironment(more)).toEqual({ UV_THREADPOOL_SIZE: "4" });
  });
});
