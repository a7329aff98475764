/** The knowledge base's part of the sidecar's service: for the functions beside it, and for sidecars that have none of their own. */
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { ErrorCode } from "#contracts";
import type { SidecarServer } from "#contracts/sidecar";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Knowledge, Lease } from "#ports/knowledge";
import { toServiceError } from "./grpc-errors.ts";

type KnowledgeService = Pick<
  SidecarServer,
  | "getKnowledge"
  | "listKnowledge"
  | "putKnowledge"
  | "deleteKnowledge"
  | "grantLease"
  | "renewLease"
  | "endLease"
  | "watchKnowledge"
>;

export function knowledgeService(knowledge: Knowledge): KnowledgeService {
  const leases = createRemoteLeases(knowledge);
  return {
    getKnowledge: unary(async ({ key }) => ({ entry: await knowledge.get(key) })),
    listKnowledge: unary(({ prefix }) => knowledge.list(prefix)),
    putKnowledge: unary(async ({ key, value, leaseId, ...rest }) => {
      const lease = leaseId === undefined ? {} : { lease: leases.find(leaseId) };
      return { revision: await knowledge.put(key, value, { ...lease, ...rest }) };
    }),
    deleteKnowledge: unary(async ({ key, ...rest }) => {
      const revision = await knowledge.delete(key, rest);
      return { deleted: revision !== undefined, revision: revision ?? 0 };
    }),
    grantLease: unary(async ({ ttlMs }) => ({ leaseId: await leases.grant(ttlMs) })),
    renewLease: unary(async ({ leaseId }) => ({ alive: leases.renew(leaseId) })),
    endLease: unary(async ({ leaseId }) => {
      await leases.end(leaseId);
      return {};
    }),
    watchKnowledge: streaming(async (call) => {
      const { prefix } = call.request;
      const from = call.request.fromRevision || (await knowledge.list(prefix)).revision + 1;
      const watch = knowledge.watch(prefix, from);
      call.on("cancelled", () => watch.close());
      const metadata = new Metadata();
      metadata.set("knowledge-revision", String(from));
      call.sendMetadata(metadata);
      for await (const change of watch) {
        const entry = change.kind === "put" ? change.entry : { key: change.key, value: "", revision: change.revision };
        call.write({ entry, deleted: change.kind === "delete" });
      }
    }),
  };
}

/** Leases of holders at the other end of a connection: each ends by itself when its holder no longer renews it. */
function createRemoteLeases(knowledge: Knowledge) {
  const held = new Map<string, { lease: Lease; timer: NodeJS.Timeout }>();

  async function end(id: string): Promise<void> {
    const found = held.get(id);
    if (found === undefined) return;
    held.delete(id);
    clearTimeout(found.timer);
    await found.lease.end();
  }

  return {
    end,
    grant: async (ttlMs: number): Promise<string> => {
      if (!(ttlMs > 0 && ttlMs <= limits.leaseMsMax)) {
        throw new DynamosError(ErrorCode.INVALID_REQUEST, `a lease is for 1 to ${limits.leaseMsMax} ms`);
      }
      const lease = await knowledge.grant(ttlMs);
      // A knowledge base that is closed meanwhile has no keys to lose.
      const timer = setTimeout(() => void end(lease.id).catch(() => {}), ttlMs).unref();
      held.set(lease.id, { lease, timer });
      return lease.id;
    },
    renew: (id: string): boolean => held.get(id)?.timer.refresh() !== undefined,
    find: (id: string): Lease => {
      const found = held.get(id);
      if (found === undefined) throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "the lease has ended");
      return found.lease;
    },
  };
}

export function unary<Request, Response>(
  answer: (request: Request) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
    answer(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(toServiceError(error)),
    );
  };
}

export function streaming<Request, Response>(
  run: (call: Parameters<handleServerStreamingCall<Request, Response>>[0]) => Promise<void>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    run(call).then(
      () => call.end(),
      // grpc-js reads code, details and metadata off the error.
      (error: unknown) => call.emit("error", toServiceError(error)),
    );
  };
}
