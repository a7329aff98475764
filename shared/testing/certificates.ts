/** Certificates for tests, made by openssl: authorities and what they sign. */
import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends CertificateFiles {
  /**
   * @param altName as in an X.509 extension: `IP:127.0.0.1`, `DNS:broker.example.org`
   * @param distinguishedName absent: the name as common name
   */
  sign(name: string, altName: string, distinguishedName?: string): Promise<CertificateFiles>;
}

const run = promisify(execFile);
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** @param folder where its files lie; valid for two days */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const own = filesOf(folder, name);
  await run("openssl", ["req", "-x509", ...newKey, "-days", "2", "-subj", `/CN=${name}`, ...output(own)]);
  return {
    ...own,
    sign: async (subject, altName, distinguishedName = `/CN=${subject}`) => {
      const files = filesOf(folder, subject);
      const [request, extensions] = [join(folder, `${subject}.csr`), join(folder, `${subject}.ext`)];
      await run("openssl", ["req", ...newKey, "-subj", distinguishedName, "-keyout", files.key, "-out", request]);
      await writeFile(extensions, `subjectAltName=${altName}\n`);
      const signed = ["-CA", own.cert, "-CAkey", own.key, "-CAcreateserial", "-days", "2", "-extfile", extensions];
      await run("openssl", ["x509", "-req", "-in", request, ...signed, "-out", files.cert]);
      return files;
    },
  };
}

function filesOf(folder: string, name: string): CertificateFiles {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function output({ cert, key }: CertificateFiles): string[] {
  return ["-keyout", key, "-out", cert];
}
