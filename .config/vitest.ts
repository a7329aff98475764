import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("..", import.meta.url)),
    include: [
      "shared/**/*.test.ts",
      "functions/**/*.test.ts",
      "cli/**/*.test.ts",
      "k8s/**/*.test.ts",
      "load-tests/**/*.test.ts",
    ],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    // What is waited for comes when it comes: one second is short on a machine that does more.
    expect: { poll: { timeout: 10_000 } },
    reporters: ["default", "./.config/closing-line.ts"],
    globalSetup: ["shared/testing/vitest-folder.ts", "shared/testing/vitest-rabbitmq.ts"],
  },
});
