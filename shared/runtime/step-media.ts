/** Which form of envelope and outcome a request speaks. */
import type { IncomingMessage } from "node:http";
import { piecesType } from "#contracts/pieces";

/** `pieces`: protobuf, with tables of any size beside it. */
export type Media = "protobuf" | "json" | "pieces";

export const mediaTypes: Readonly<Record<Media, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
  pieces: piecesType,
};

const protobufTypes = ["application/x-protobuf", "application/protobuf", "application/octet-stream"];

/** Of the body; undefined: a type that is not understood. */
export function bodyMedia(request: IncomingMessage): Media | undefined {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (protobufTypes.includes(type)) return "protobuf";
  if (type === piecesType) return "pieces";
  return type === "application/json" ? "json" : undefined;
}

/** Of the answer: as accepted by name, else as the body, else JSON, since a person is asking. */
export function answerMedia(request: IncomingMessage): Media {
  const accept = (request.headers.accept ?? "").toLowerCase();
  if (accept.includes(piecesType)) {
    return "pieces";
  }
  if (accept.includes("application/json")) {
    return "json";
  }
  return protobufTypes.some((type) => accept.includes(type)) ? "protobuf" : (bodyMedia(request) ?? "json");
}
