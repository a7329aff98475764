/** DynamosError over gRPC: our code travels in a trailer, the gRPC status is the nearest of its list. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorCode } from "#contracts";
import { DynamosError, rowOf, toDynamosError } from "#errors";

const trailer = "dynamos-error-code";

const statusByHttp: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.ABORTED,
  412: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

export function toServiceError(error: unknown): Partial<ServiceError> {
  const known = toDynamosError(error);
  const metadata = new Metadata();
  metadata.set(trailer, String(known.code));
  return { code: statusByHttp[rowOf(known.code).httpStatus] ?? status.INTERNAL, details: known.message, metadata };
}

/** @param error what grpc-js rejected with */
export function fromServiceError(error: unknown): DynamosError {
  const { code, details, metadata } = error as Partial<ServiceError>;
  const own = Number(metadata?.get(trailer)[0] ?? Number.NaN);
  if (Number.isInteger(own)) {
    return new DynamosError(own as ErrorCode, details ?? "");
  }
  if (code === status.CANCELLED) {
    return new DynamosError(ErrorCode.CANCELLED, "the call was cancelled", { cause: error });
  }
  if (code === status.DEADLINE_EXCEEDED) {
    return new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "the deadline passed", { cause: error });
  }
  return new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "the sidecar does not answer", { cause: error });
}
