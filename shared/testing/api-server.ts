/** A Kubernetes API server of a test's own, over an etcd of its own: loopback, a private folder, ended by its pid. */
import { spawn } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { makeAuthority } from "./certificates.ts";
import { startEtcd } from "./etcd.ts";
import { freePort } from "./free-port.ts";

export interface ApiAnswer {
  readonly status: number;
  /** What it would have a person know though it takes the object: a field of an old release, a pod that it will refuse. */
  readonly warning: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
}

export interface ApiServer {
  ask(call: ApiRequest): Promise<ApiAnswer>;
  stop(): Promise<void>;
}

const startMsMax = 150_000;
const toldBytesMax = 4_000;

/** Who asks may do everything; pods are held to their namespace's level. @param program path of kube-apiserver */
export async function startApiServer(program: string): Promise<ApiServer> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-api-"));
  const etcd = await startEtcd();
  const port = await freePort();
  const token = randomUUID();
  const { args, ca } = await writeFiles(folder, token);
  const child = spawn(program, [...args, "--etcd-servers", etcd.url, "--secure-port", `${port}`], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH },
  });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    told = `${told}${text}`.slice(-toldBytesMax);
  });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  // A test run that is interrupted runs no teardown.
  const abort = () => void child.kill("SIGKILL");
  process.once("exit", abort);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });

  const ask = (call: ApiRequest) => askAt({ port, token, agent }, call);

  async function stop(): Promise<void> {
    agent.destroy();
    child.kill("SIGKILL");
    await ended;
    process.off("exit", abort);
    await etcd.stop();
    await rm(folder, { recursive: true, force: true });
  }

  const giveUpAtMs = performance.now() + startMsMax;
  while (performance.now() < giveUpAtMs && child.exitCode === null) {
    const { status } = await ask({ method: "GET", path: "/readyz" }).catch(() => ({ status: 0 }));
    if (status === 200) return { ask, stop };
    await wait(200);
  }
  await stop();
  throw new Error(`kube-apiserver was not ready within ${startMsMax} ms, or ended: ${told}`);
}

async function writeFiles(folder: string, token: string): Promise<{ args: string[]; ca: Buffer }> {
  const authority = await makeAuthority(folder, "authority");
  const { cert, key } = await authority.sign("api-server", "IP:127.0.0.1");
  const account = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const [tokens, accountKey, accountPublic] = ["tokens.csv", "account.key", "account.pub"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await writeFile(tokens, `${token},tester,1,"system:masters"\n`, { mode: 0o600 });
  await writeFile(accountKey, account.privateKey, { mode: 0o600 });
  await writeFile(accountPublic, account.publicKey);
  const args = [
    ...["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none"],
    ...["--tls-cert-file", cert, "--tls-private-key-file", key, "--token-auth-file", tokens],
    ...["--authorization-mode", "AlwaysAllow", "--service-cluster-ip-range", "10.0.0.0/16"],
    ...["--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", accountPublic],
    ...["--service-account-signing-key-file", accountKey],
    // Else no namespace's level would be asked about a privileged container.
    "--allow-privileged=true",
  ];
  return { args, ca: await readFile(authority.cert) };
}

function askAt(
  { port, token, agent }: { readonly port: number; readonly token: string; readonly agent: Agent },
  { method, path, body }: ApiRequest,
): Promise<ApiAnswer> {
  // Any JSON is YAML.
  const type = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
  const headers = { authorization: `Bearer ${token}`, accept: "application/json", "content-type": type };
  return new Promise((done, failed) => {
    const asked = request({ host: "127.0.0.1", port, agent, method, path, headers }, async (answer) => {
      try {
        const text = (await answer.setEncoding("utf8").toArray()).join("");
        const isJson = answer.headers["content-type"]?.includes("json") === true;
        const warning = answer.headers.warning;
        done({ status: answer.statusCode ?? 0, warning, body: isJson ? JSON.parse(text) : { message: text } });
      } catch (error) {
        failed(error);
      }
    });
    asked.once("error", failed);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
