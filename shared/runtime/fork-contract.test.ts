import { describe } from "vitest";
import { workerBackendContract } from "#testing/worker-backend-contract";
import { forkBackend } from "./fork-backend.ts";

describe.skipIf(process.platform !== "linux")("a forked worker", () =>
  workerBackendContract((options) => forkBackend({ ...options, parentEnvironment: {}, network: false })),
);
