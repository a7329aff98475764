/** The sidecar's gRPC service. Apart from index.ts because it loads grpc-js. */
export { SidecarClient, type SidecarServer, SidecarService } from "./gen/dynamos/v1/sidecar_service.ts";
