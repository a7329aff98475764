/** Whom a change has reached, as headers of its answer. */
import { limits } from "#domain/limits";
import { toDynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";

/**
 * Waits until the sidecars carry the change out, within a bound. From then on nothing leaves a party named in
 * `dynamos-applied` that the change does not allow; a party named in `dynamos-waiting` has not said so yet.
 *
 * @param revision of the change
 */
export async function appliedHeaders(api: SidecarApi, revision: number): Promise<Record<string, string>> {
  try {
    const { applied, waiting } = await api.applied(revision, limits.appliedWaitMsMax);
    return {
      ...(applied.length === 0 ? {} : { "dynamos-applied": applied.map(encodeURIComponent).join(", ") }),
      ...(waiting.length === 0 ? {} : { "dynamos-waiting": waiting.map(encodeURIComponent).join(", ") }),
    };
  } catch (error) {
    // The change is stored: whom it has reached is only not known.
    return { "dynamos-applied-unknown": toDynamosError(error).label };
  }
}
