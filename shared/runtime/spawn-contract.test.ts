import { describe } from "vitest";
import { workerBackendContract } from "#testing/worker-backend-contract";
import { spawnBackend } from "./spawn-backend.ts";

describe("a spawned worker", () => workerBackendContract(spawnBackend));
