/** `dynamos.v1.Sidecar` for the functions beside this sidecar. Listens on a Unix socket or a loopback port only. */
import { once } from "node:events";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { ErrorCode } from "#contracts";
import { type SidecarServer, SidecarService } from "#contracts/sidecar";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Knowledge } from "#ports/knowledge";
import { knowledgeService, streaming, unary } from "./knowledge-service.ts";
import type { Sidecar } from "./start-sidecar.ts";

export interface GrpcServer {
  /** What a client connects to: as asked for, with the port that was found free for port 0. */
  readonly address: string;
  /** Tells clients to go elsewhere and takes no more calls; resolves when those that are open have ended. */
  drain(): Promise<void>;
  /** Open calls are cut after a moment. */
  stop(): Promise<void>;
}

/** @param address `unix:///path` or `127.0.0.1:port`. @throws DynamosError when it can't be listened on */
export function serveSidecar(sidecar: Sidecar, address: string): Promise<GrpcServer> {
  return serve({ ...implementation(sidecar) }, address);
}

/** The knowledge base alone, for sidecars elsewhere. */
export function serveKnowledge(knowledge: Knowledge, address: string): Promise<GrpcServer> {
  return serve({ ...knowledgeService(knowledge) }, address);
}

async function serve(service: UntypedServiceImplementation, address: string): Promise<GrpcServer> {
  const server = new Server({
    "grpc.max_receive_message_length": limits.messageBytesMax,
    "grpc.max_send_message_length": limits.messageBytesMax,
  });
  server.addService(SidecarService, service);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error
        ? reject(new DynamosError(ErrorCode.INTERNAL, `can't listen on ${address}`, { cause: error }))
        : resolve(bound),
    );
  });
  let draining: Promise<void> | undefined;
  const drain = () => {
    draining ??= new Promise((resolve) => server.tryShutdown(() => resolve()));
    return draining;
  };
  return {
    address: address.startsWith("unix:") ? address : address.replace(/:\d+$/, `:${port}`),
    drain,
    stop: async () => {
      const force = setTimeout(() => server.forceShutdown(), 500);
      await drain();
      clearTimeout(force);
    },
  };
}

function implementation(sidecar: Sidecar): SidecarServer {
  return {
    request: streaming(async (call) => {
      const { envelope } = call.request;
      if (envelope === undefined) throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "a request without an envelope");
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      for await (const reply of sidecar.request(envelope, gone.signal)) {
        call.write({ reply });
      }
    }),
    readTransfer: streaming(async (call) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      for await (const chunk of sidecar.transfers.read(call.request.name, gone.signal)) {
        if (!call.write({ chunk: Buffer.from(chunk) })) await once(call, "drain", { signal: gone.signal });
      }
    }),
    writeTransfer: unary(async ({ id, expiresInMs, chunks }) => {
      if (!/^[A-Za-z0-9-]{1,100}$/.test(id) || !(expiresInMs > 0 && expiresInMs <= limits.leaseMsMax)) {
        const message = `a transfer has an id of letters, digits and hyphens, and is for 1 to ${limits.leaseMsMax} ms`;
        throw new DynamosError(ErrorCode.INVALID_REQUEST, message);
      }
      const { party } = sidecar;
      const writer = await sidecar.transfers.open({ from: party, to: party, id, expiresInMs });
      for (const chunk of chunks) await writer.write(chunk);
      await writer.end();
      return { name: writer.name };
    }),
    renewTransfer: unary(async ({ name }) => {
      await sidecar.transfers.renew(name);
      return {};
    }),
    dropTransfer: unary(async ({ name }) => {
      await sidecar.transfers.drop(name);
      return {};
    }),
    readRecords: streaming(async (call) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      for await (const line of sidecar.readRecords(call.request.queryId)) {
        if (gone.signal.aborted) return;
        if (!call.write({ line })) await once(call, "drain", { signal: gone.signal });
      }
    }),
    cancel: unary(async ({ queryId }) => {
      await sidecar.cancel(queryId);
      return {};
    }),
    awaitApplied: unary(async ({ revision, waitMs }) => {
      const { applied, waiting } = await sidecar.applied(revision, Math.min(waitMs, limits.appliedWaitMsMax));
      return { applied: [...applied], waiting: [...waiting] };
    }),
    ...knowledgeService(sidecar.knowledge),
    health: unary(async () => {
      const broker = sidecar.status().broker.kind;
      return { party: sidecar.party, ready: broker === "connected", broker };
    }),
  };
}
