/**
 * Node 18 has the Web Crypto API, but not under the global name where jose looks for it.
 * Imported for its effect, by what uses jose inside a function.
 */
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto as typeof globalThis.crypto;
