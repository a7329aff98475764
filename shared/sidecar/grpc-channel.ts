/** The connection to a sidecar's gRPC: how it is made, and one call with an answer. */
import { credentials } from "@grpc/grpc-js";
import { ErrorCode } from "#contracts";
import { SidecarClient } from "#contracts/sidecar";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { fromServiceError } from "./grpc-errors.ts";

/** Knowledge is small and near: what takes longer than this has failed. */
const callMsMax = 5_000;

/** @param address as `serveSidecar` gives it. Connects on the first call and again after every loss. */
export function openChannel(address: string): SidecarClient {
  return new SidecarClient(address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": limits.messageBytesMax,
    "grpc.max_send_message_length": limits.messageBytesMax,
    // A sidecar that restarts is back in less than grpc-js's first back-off of a second.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
    // A connection whose other side is gone without a word would keep its streams for ever.
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    // A new channel is a new connection, which may lead to another sidecar.
    "grpc.use_local_subchannel_pool": 1,
  });
}

/** Resolves at once where there is a connection. @throws DynamosError FUNCTION_UNAVAILABLE when there is none for a while */
export function untilConnected(client: SidecarClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + limits.sidecarWaitMsMax, (error) => {
      if (error === undefined) return resolve();
      reject(new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "the sidecar does not answer", { cause: error }));
    });
  });
}

/** @throws DynamosError */
export function callOnce<Response>(
  run: (deadline: Date, done: (error: unknown, response: Response) => void) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    run(new Date(Date.now() + callMsMax), (error, response) =>
      error ? reject(fromServiceError(error)) : resolve(response),
    );
  });
}
