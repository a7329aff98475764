/** The sidecar's gRPC service. Apart from index.ts because it loads grpc-js. */
export {
  type DeepPartial as PartialMessage,
  KnowledgeEntry,
  type RequestResponse,
  type WatchKnowledgeResponse,
} from "./gen/dynamos/v1/sidecar.ts";
export { SidecarClient, type SidecarServer, SidecarService } from "./gen/dynamos/v1/sidecar_service.ts";
