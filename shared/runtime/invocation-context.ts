/** What a step that runs in this process may know beside its envelope. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepContext } from "./define-step.ts";

export interface InvocationContext {
  readonly context: StepContext;
  /** Removes what the invocation left. */
  end(): void;
}

/** The folder is made when first asked for: most steps in this process never do. */
export function invocationContext(
  environment: StepContext["environment"],
  now: StepContext["now"] = Date.now,
): InvocationContext {
  let folder: string | undefined;
  const context: StepContext = {
    environment,
    now,
    get temporaryFolder() {
      folder ??= mkdtempSync(join(tmpdir(), "dynamos-step-"));
      return folder;
    },
  };
  return {
    context,
    end: () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
