/** For measuring alone: a step that would be single-use, in the door's own process, for every query. */
import type { Step } from "#runtime/define-step";
import { serveShared } from "#runtime/serve-shared";

export function serve(step: Step): void {
  const loadJson = () => import("#runtime/json-codec");
  serveShared({ step: { ...step, isolation: "shared" }, loadJson, environment: process.env });
}
