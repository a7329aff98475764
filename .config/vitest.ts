import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("..", import.meta.url)),
    include: ["shared/**/*.test.ts", "functions/**/*.test.ts", "cli/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    reporters: ["default", "./.config/closing-line.ts"],
    globalSetup: ["shared/testing/vitest-rabbitmq.ts"],
  },
});
