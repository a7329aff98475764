/** A worker's start ends: it is ready, or it is gone. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { FramedWorker } from "./framed-worker.ts";

/** @throws DynamosError FUNCTION_UNAVAILABLE when it is not ready within `startMs`, or `stop` is aborted; then it is gone */
export async function readyInTime(worker: FramedWorker, startMs: number, stop: AbortSignal): Promise<FramedWorker> {
  const kill = () => worker.kill();
  stop.addEventListener("abort", kill, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const message = `a worker did not become ready within ${startMs} ms`;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), startMs);
  });
  try {
    if (stop.aborted) kill();
    await Promise.race([worker.ready, late]);
    // It was ready at once, and killed all the same.
    if (stop.aborted) throw new Error("the pool closed while a worker started");
    return worker;
  } catch (cause) {
    worker.kill();
    await worker.gone;
    throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "a worker did not start", { cause });
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", kill);
  }
}
