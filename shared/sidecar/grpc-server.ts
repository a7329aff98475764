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
  /**
   * Resolves when no stream is open, and no connection either. A client is told to go elsewhere only then: grpc-js's
   * cuts what runs on a connection that is told so, at its next keepalive (1.14, `maybeSendPing` in transport.js).
   */
  drain(): Promise<void>;
  /** Open calls are cut after a moment. */
  stop(): Promise<void>;
}

/** @param address `unix:///path` or `127.0.0.1:port`. @throws DynamosError when it can't be listened on */
export function serveSidecar(sidecar: Sidecar, address: string): Promise<GrpcServer> {
  const open = createOpenStreams();
  return serve({ ...implementation(sidecar, open.counted) }, address, open.none);
}

/** The knowledge base alone, for sidecars elsewhere. */
export function serveKnowledge(knowledge: Knowledge, address: string): Promise<GrpcServer> {
  return serve({ ...knowledgeService(knowledge) }, address);
}

async function serve(
  service: UntypedServiceImplementation,
  address: string,
  noStreams = async () => {},
): Promise<GrpcServer> {
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
  const shutDown = () => new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const drain = () => {
    draining ??= noStreams().then(shutDown);
    return draining;
  };
  return {
    address: address.startsWith("unix:") ? address : address.replace(/:\d+$/, `:${port}`),
    drain,
    stop: async () => {
      const force = setTimeout(() => server.forceShutdown(), 500);
      await shutDown();
      clearTimeout(force);
    },
  };
}

type Streaming = typeof streaming;

/** Counts the streams that the functions beside this sidecar have open: not those who watch its knowledge base. */
function createOpenStreams() {
  let open = 0;
  let onNone = () => {};
  const counted: Streaming = (run) =>
    streaming(async (call) => {
      open += 1;
      try {
        await run(call);
      } finally {
        open -= 1;
        if (open === 0) onNone();
      }
    });
  return {
    counted,
    none: async () => {
      if (open === 0) return;
      await new Promise<void>((resolve) => {
        onNone = resolve;
      });
    },
  };
}

function implementation(sidecar: Sidecar, counted: Streaming): SidecarServer {
  return {
    request: counted(async (call) => {
      const { envelope } = call.request;
      if (envelope === undefined) throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "a request without an envelope");
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      for await (const reply of sidecar.request(envelope, gone.signal)) {
        call.write({ reply });
      }
    }),
    readTransfer: counted(async (call) => {
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
    readRecords: counted(async (call) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      for await (const line of sidecar.readRecords(call.request.queryId)) {
        if (gone.signal.aborted) return;
        if (!call.write({ line })) await once(call, "drain", { signal: gone.signal });
      }
    }),
    recordReuse: unary(async ({ query, plan }) => {
      if (query?.reuse === undefined || plan === undefined) {
        throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "a reuse without its query or plan");
      }
      await sidecar.recordReuse(query, plan);
      return {};
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
