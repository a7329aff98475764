/** Sentences for what a real broker can't easily be brought to; the rest is in tls.live.test.ts. */
import { expect, it } from "vitest";
import { namedTls, tlsOptionsOf } from "./tls.ts";

const url = "amqps://uva:secret@broker.example.org:5671/dynamos";

it.each([
  [
    "an expired certificate",
    "CERT_HAS_EXPIRED",
    "the certificate of the broker at broker.example.org:5671 has expired",
  ],
  [
    "a client certificate that was revoked",
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED",
    "the broker at broker.example.org:5671 refuses our client certificate (certificate revoked)",
  ],
  [
    "a handshake that is refused without more",
    "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    "the broker at broker.example.org:5671 ended the connection while it was opened: it may not accept our client certificate, or the lack of one",
  ],
])("says %s by name, without the password", (_, code, message) => {
  const error = Object.assign(new Error("as OpenSSL says it"), { code });
  expect(namedTls(error, url)).toMatchObject({ label: "BROKER_UNAVAILABLE", message, cause: error });
});

it("leaves what has nothing to do with certificates as it is", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(namedTls(refused, url)).toBe(refused);
  const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  expect(namedTls(reset, "amqp://broker.example.org")).toBe(reset);
});

it("asks nothing of a connection without TLS, and always checks one with it", async () => {
  expect(await tlsOptionsOf("amqp://broker.example.org", undefined)).toEqual({});
  expect(await tlsOptionsOf(url, undefined)).toEqual({ rejectUnauthorized: true, minVersion: "TLSv1.2" });
});
