/** What a connection over https proves itself with, read again now and then: what is renewed needs no restart. */
import { readFile } from "node:fs/promises";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

/** PEM files. */
export interface EtcdTlsFiles {
  /** Who may have signed etcd's certificate, and nobody else; absent: an authority that Node knows. */
  readonly caFile?: string | undefined;
  /** Our own, where etcd asks for one; with its key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface TlsOptions {
  readonly rejectUnauthorized: true;
  readonly minVersion: "TLSv1.2";
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** @returns for each request; of plain http nothing. @throws DynamosError INVALID_REQUEST for what can't be meant so */
export function tlsReader(isTls: boolean, files: EtcdTlsFiles): () => Promise<TlsOptions | undefined> {
  const { caFile, certFile, keyFile } = files;
  if (!isTls) {
    if (caFile === undefined && certFile === undefined && keyFile === undefined) return async () => undefined;
    throw invalid("certificates for the knowledge base need addresses that begin with https://");
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid("a client certificate for the knowledge base and its key go together");
  }
  let read: Promise<TlsOptions> | undefined;
  let readAgainAtMs = 0;
  return () => {
    if (read === undefined || performance.now() > readAgainAtMs) {
      readAgainAtMs = performance.now() + limits.etcdTlsFilesMs;
      read = readAll(files);
      read.catch(() => {
        readAgainAtMs = 0;
      });
    }
    return read;
  };
}

async function readAll({ caFile, certFile, keyFile }: EtcdTlsFiles): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(contentOf));
  // Node takes a file without any for a list of none, and then trusts nobody without a word of why.
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, `the file ${caFile} holds no certificate in PEM format`);
  }
  return {
    // Whatever the environment says: NODE_TLS_REJECT_UNAUTHORIZED would let anyone be the knowledge base.
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function contentOf(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, `the file ${file} can't be read (${why})`, { cause });
  }
}

function invalid(message: string): DynamosError {
  return new DynamosError(ErrorCode.INVALID_REQUEST, message);
}
