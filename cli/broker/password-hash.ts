/** Passwords as RabbitMQ's definitions hold them: https://www.rabbitmq.com/docs/passwords */
import { createHash, randomBytes } from "node:crypto";

export const hashingAlgorithm = "rabbit_password_hashing_sha256";

/** Base64 of the salt (4 bytes) and the SHA-256 of salt and password. */
export function passwordHash(password: string, salt: Uint8Array = randomBytes(4)): string {
  const digest = createHash("sha256").update(salt).update(password, "utf8").digest();
  return Buffer.concat([salt, digest]).toString("base64");
}

/** 192 bits, in letters that a URL takes as they are. */
export function newPassword(): string {
  return randomBytes(24).toString("base64url");
}
