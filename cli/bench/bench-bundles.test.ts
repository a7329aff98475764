/** Settings that are two for one thing agree, as a stack file's must: else a way is not what it is called. */
import { expect, it } from "vitest";
import { settingFaults } from "../stack/setting-faults.ts";
import { bundlesOf, type Workers } from "./bench-bundles.ts";
import { neededStack, withSettings } from "./bench-system.ts";

const deployable: readonly Workers[] = ["default", "fused", "fork", "spawn"];

it.each(deployable)("%s: a stack that could be deployed", async (workers) => {
  const { functions } = withSettings(await neededStack(), await bundlesOf(workers));
  expect(functions.flatMap(settingFaults)).toEqual([]);
});

it("fuses what the parties' own queries lead to", async () => {
  const { functions } = withSettings(await neededStack(), await bundlesOf("fused"));
  const fused = functions.filter(({ annotations }) => annotations["com.dynamos.fuse"] !== undefined);
  expect(fused.map(({ name }) => name).sort()).toEqual(["surf-sql-aggregate", "uva-sql-query", "vu-sql-query"]);
});
