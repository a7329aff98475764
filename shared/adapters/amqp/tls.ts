/** amqps: what a connection proves itself with, and what it means when the two sides do not believe each other. */
import { readFile } from "node:fs/promises";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

/** PEM files, read again for each connection: one that is renewed needs no restart. */
export interface TlsFiles {
  /** Who may have signed the broker's certificate, and nobody else. */
  readonly caFile: string;
  /** Our own, for a broker that asks for one; with its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** What of it goes to the socket. */
export interface TlsSocket {
  readonly rejectUnauthorized?: true;
  readonly minVersion?: "TLSv1.2";
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * @param tls absent: the broker's certificate must come from an authority that Node knows
 * @returns for the socket; of an `amqp://` URL nothing
 * @throws DynamosError INVALID_REQUEST for what can't be meant so; BROKER_UNAVAILABLE for a file that can't be read
 */
export async function tlsOptionsOf(url: string, tls: TlsFiles | undefined): Promise<TlsSocket> {
  if (!isTls(url)) {
    if (tls === undefined) return {};
    throw new DynamosError(
      ErrorCode.INVALID_REQUEST,
      "certificates for the broker need a URL that begins with amqps://",
    );
  }
  // Whatever the environment says: NODE_TLS_REJECT_UNAUTHORIZED would let anyone be the broker.
  const always = { rejectUnauthorized: true, minVersion: "TLSv1.2" } as const;
  if (tls === undefined) return always;
  const { caFile, certFile, keyFile } = tls;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, "a client certificate for the broker and its key go together");
  }
  const ca = await contentOf(caFile);
  // Node takes a file without any for a list of none, and then trusts nobody without a word of why.
  if (!ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `the file ${caFile} holds no certificate in PEM format`);
  }
  if (certFile === undefined || keyFile === undefined) return { ...always, ca };
  const [cert, key] = await Promise.all([contentOf(certFile), contentOf(keyFile)]);
  return { ...always, ca, cert, key };
}

async function contentOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `the file ${file} can't be read (${why})`, { cause });
  }
}

/** @returns what a connection failed with, by name where the certificates are the reason */
export function namedTls(error: unknown, url: string): unknown {
  const sentence = isTls(url) ? sentenceFor(error) : undefined;
  if (sentence === undefined) return error;
  return new DynamosError(
    ErrorCode.BROKER_UNAVAILABLE,
    sentence.replace("BROKER", `the broker at ${new URL(url).host}`),
    {
      cause: error,
    },
  );
}

/** Node's and OpenSSL's codes: nodejs.org/api/tls.html, openssl.org/docs/man3.0/man1/openssl-verification-options.html. */
function sentenceFor(error: unknown): string | undefined {
  const { code = "", message = "" } = (error ?? {}) as { readonly code?: string; readonly message?: string };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "the certificate of BROKER is for another host";
  if (code === "CERT_HAS_EXPIRED") return "the certificate of BROKER has expired";
  if (
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|CERT_(UNTRUSTED|SIGNATURE_FAILURE)/.test(code)
  ) {
    return "the certificate of BROKER is not signed by the authority that we trust";
  }
  if (/ALERT_CERTIFICATE_REQUIRED/.test(code)) return "BROKER asks for a client certificate";
  const alert = /ALERT_(UNKNOWN_CA|(?:BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_\w+|DECRYPT_ERROR)/.exec(code)?.[1];
  if (alert !== undefined) return `BROKER refuses our client certificate (${alert.toLowerCase().replaceAll("_", " ")})`;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") return "BROKER does not speak TLS on this port";
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") return "the key for BROKER is not that of our client certificate";
  if (/^ERR_OSSL_/.test(code)) return "a certificate or key for BROKER is not in PEM format";
  // It ends the connection right after its alert, which may be lost on the way; TLS 1.2 has no alert for a missing one.
  if (/^ECONNRESET$|ALERT_HANDSHAKE_FAILURE/.test(code) || /closed abruptly/.test(message)) {
    return "BROKER ended the connection while it was opened: it may not accept our client certificate, or the lack of one";
  }
  return undefined;
}

function isTls(url: string): boolean {
  return /^amqps:/i.test(url) && URL.canParse(url);
}
