import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createPrometheus } from "#adapters/prometheus/metrics";
import { type MetricsServer, serveMetrics, withOthers } from "./metrics-page.ts";

const servers: MetricsServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function pageOf(party: string): Promise<{ page: ReturnType<typeof createPrometheus>; url: string }> {
  const page = createPrometheus();
  page.forParty(party).taken("sql-query");
  const server = await serveMetrics(page, "127.0.0.1", 0);
  servers.push(server);
  return { page, url: server.url };
}

describe("the page that Prometheus scrapes", () => {
  it("is at /metrics, in its text format, and nowhere else", async () => {
    const { url } = await pageOf("UVA");
    const response = await fetch(url);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('dynamos_messages_taken_total{party="UVA",step="sql-query"} 1\n');
    expect((await fetch(new URL("/other", url))).status).toBe(404);
  });

  it("says which version runs", async () => {
    const { url } = await pageOf("UVA");
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await (await fetch(url)).text()).toContain(`dynamos_build_info{party="UVA",version="${version}"} 1\n`);
  });

  it("has the samples of other processes in the same families, and leaves out one that is away", async () => {
    const [own, other] = [await pageOf("exchange"), await pageOf("UVA")];
    const text = await withOthers(own.page, () => [other.url, "http://127.0.0.1:1/metrics"]).text();
    const lines = text.split("\n");
    const family = lines.indexOf("# TYPE dynamos_messages_taken_total counter");
    expect(lines.slice(family + 1, family + 3)).toEqual([
      'dynamos_messages_taken_total{party="exchange",step="sql-query"} 1',
      'dynamos_messages_taken_total{party="UVA",step="sql-query"} 1',
    ]);
    const samples = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(" ")[0]);
    expect(new Set(samples).size).toBe(samples.length);
  });

  it("says beside it that the process turns, and whether work may come", async () => {
    let missing: string[] = [];
    const server = await serveMetrics(createPrometheus(), "127.0.0.1", 0, () => missing);
    servers.push(server);
    const ask = async (path: string) => {
      const response = await fetch(new URL(path, server.url));
      return [response.status, await response.text()];
    };
    expect(await ask("/readyz")).toEqual([200, "ok\n"]);
    missing = ["broker: reconnecting", "knowledge base: gone"];
    expect(await ask("/readyz?verbose")).toEqual([503, "broker: reconnecting\nknowledge base: gone\n"]);
    expect(await ask("/healthz")).toEqual([200, "ok\n"]);
  });

  it("names the port that is taken", async () => {
    const { url } = await pageOf("UVA");
    const again = serveMetrics(createPrometheus(), "127.0.0.1", Number(new URL(url).port));
    await expect(again).rejects.toThrow(`--metrics-port ${new URL(url).port}: the port is in use`);
  });
});
