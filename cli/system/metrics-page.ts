/** The page that Prometheus scrapes, of this process and of sidecars in processes of their own; and what Kubernetes probes. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

const scrapeMsMax = 2_000;

/** @returns what is missing, in words; empty: work may come */
export type Readiness = () => readonly string[];

/**
 * `GET /metrics`, `/healthz` (200 as long as this process turns) and `/readyz` (200, or 503 with what is missing);
 * nothing else. @param port 0: a free one
 */
export async function serveMetrics(
  page: MetricsPage,
  host: string,
  port: number,
  missing: Readiness = () => [],
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    switch (request.url?.split("?", 1)[0]) {
      case "/metrics":
        page.text().then(
          (text) => response.writeHead(200, { "content-type": page.contentType }).end(text),
          () => response.writeHead(500).end(),
        );
        return;
      case "/healthz":
        return answer(response, []);
      case "/readyz":
        return answer(response, missing());
      default:
        response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? new Error(`--metrics-port ${port}: the port is in use`) : error),
    );
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, missing: readonly string[]): void {
  const text = missing.length === 0 ? "ok\n" : `${missing.join("\n")}\n`;
  response.writeHead(missing.length === 0 ? 200 : 503, { "content-type": "text/plain" }).end(text);
}

/** With the families `dynamos_…` of other processes, whose samples bear their party. One that does not answer is left out. */
export function withOthers(own: MetricsPage, others: () => readonly string[]): MetricsPage {
  return {
    contentType: own.contentType,
    text: async () => {
      const pages = await Promise.all(others().map((url) => scrape(url).catch(() => "")));
      return merged([await own.text(), ...pages.map(onlyOurs)]);
    },
  };
}

async function scrape(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(scrapeMsMax) });
  return response.ok ? response.text() : "";
}

/** Text exposition format: a family's samples must follow its one HELP and TYPE. */
function merged(pages: readonly string[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const page of pages) {
    let family = { head: [] as string[], samples: [] as string[] };
    for (const line of page.split("\n").filter(Boolean)) {
      const [, kind, name = ""] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
      if (kind === "HELP") {
        family = families.get(name) ?? { head: [], samples: [] };
        families.set(name, family);
      }
      if (kind === undefined) family.samples.push(line);
      else if (!family.head.includes(line)) family.head.push(line);
    }
  }
  return `${[...families.values()].flatMap(({ head, samples }) => [...head, ...samples]).join("\n")}\n`;
}

function onlyOurs(page: string): string {
  return page
    .split("\n")
    .filter((line) => /^(# (HELP|TYPE) )?dynamos_/.test(line))
    .join("\n");
}
