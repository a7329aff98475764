/** The knowledge base of another sidecar, over its gRPC: for a party's sidecar that runs by itself. */
import { Metadata } from "@grpc/grpc-js";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { DeleteOptions, Entry, Knowledge, Lease, PutOptions, Watch } from "#ports/knowledge";
import { callOnce, openChannel } from "./grpc-channel.ts";
import { holdLease, type LeaseCalls, type RemoteLease } from "./remote-lease.ts";
import { RemoteWatch } from "./remote-watch.ts";

/**
 * @param address as `serveSidecar` gives it. Connects on the first call and again after every loss:
 * watches go on where they were, leases are granted anew with their keys.
 */
export function connectKnowledge(address: string): Knowledge {
  const client = openChannel(address);
  const watches = new Set<RemoteWatch>();
  const leases = new Set<RemoteLease>();
  let closed = false;

  async function call<Response>(
    run: (metadata: Metadata, options: { deadline: Date }, done: (error: unknown, response: Response) => void) => void,
  ): Promise<Response> {
    if (closed) throw unavailable("the knowledge base is closed");
    try {
      return await callOnce<Response>((deadline, done) => run(new Metadata(), { deadline }, done));
    } catch (error) {
      throw asKnowledge(error);
    }
  }

  /** A watch "from now on" begins before what its holder changes next. */
  async function watchesBegun(): Promise<void> {
    await Promise.all([...watches].map((watch) => watch.begun));
  }

  async function send(
    document: { key: string; value: string; leaseId: string | undefined },
    { ifRevision, also = [] }: DeleteOptions,
  ): Promise<number> {
    const request = { ...document, ifRevision, also: [...also] };
    const { revision } = await call<{ revision: number }>((...rest) => client.putKnowledge(request, ...rest));
    return revision;
  }

  /** What is put or deleted without a lease is no lease's any more. */
  function letGo(keys: readonly string[]): void {
    for (const one of leases) for (const key of keys) one.keys.delete(key);
  }

  const leaseCalls: LeaseCalls = {
    grant: async (ttlMs) => {
      return (await call<{ leaseId: string }>((...rest) => client.grantLease({ ttlMs }, ...rest))).leaseId;
    },
    renew: async (leaseId) => {
      return (await call<{ alive: boolean }>((...rest) => client.renewLease({ leaseId }, ...rest))).alive;
    },
    end: async (leaseId) => {
      await watchesBegun();
      await call((...rest) => client.endLease({ leaseId }, ...rest));
    },
    put: (key, value, leaseId) => send({ key, value, leaseId }, {}),
  };

  return {
    get: async (key) => {
      const answer = await call<{ entry?: Entry | undefined }>((...rest) => client.getKnowledge({ key }, ...rest));
      return answer.entry;
    },
    list: (prefix) => call((...rest) => client.listKnowledge({ prefix }, ...rest)),
    put: async (key: string, value: string, { lease, ...rest }: PutOptions = {}) => {
      await watchesBegun();
      const held = [...leases].find(({ id }) => id === lease?.id);
      if (lease !== undefined && held === undefined) throw unavailable("the lease has ended");
      const revision = await send({ key, value, leaseId: held?.remoteId }, rest);
      letGo([key, ...(rest.also ?? []).map((one) => one.key)]);
      held?.keys.set(key, value);
      return revision;
    },
    delete: async (key, { ifRevision, also = [] } = {}) => {
      await watchesBegun();
      const request = { key, ifRevision, also: [...also] };
      const { deleted, revision } = await call<{ deleted: boolean; revision: number }>((...rest) =>
        client.deleteKnowledge(request, ...rest),
      );
      letGo([key, ...(deleted ? also.map((one) => one.key) : [])]);
      return deleted ? revision : undefined;
    },
    watch: (prefix, fromRevision): Watch => {
      const watch = new RemoteWatch({
        open: (from) => client.watchKnowledge({ prefix, fromRevision: from }),
        fromRevision,
        onEnd: () => watches.delete(watch),
      });
      if (closed) watch.fail(unavailable("the knowledge base is closed"));
      else watches.add(watch);
      return watch;
    },
    grant: async (ttlMs): Promise<Lease> => {
      const lease = await holdLease(leaseCalls, ttlMs, () => leases.delete(lease));
      leases.add(lease);
      return lease;
    },
    close: async () => {
      closed = true;
      for (const watch of watches) watch.close();
      for (const lease of leases) lease.forget();
      client.close();
    },
  };
}

/** What a call itself may fail with passes; everything else means that the knowledge base is out of reach. */
function asKnowledge(error: unknown): unknown {
  if (!(error instanceof DynamosError)) return error;
  const outOfReach: readonly ErrorCode[] = [
    ErrorCode.FUNCTION_UNAVAILABLE,
    ErrorCode.DEADLINE_EXCEEDED,
    ErrorCode.CANCELLED,
  ];
  return outOfReach.includes(error.code) ? unavailable("the knowledge base does not answer", error) : error;
}

function unavailable(message: string, cause?: unknown): DynamosError {
  return new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, message, cause === undefined ? {} : { cause });
}
