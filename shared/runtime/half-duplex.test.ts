/** Tables that come and go at once through proxies that do not pass both on at once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { halfDuplexContract } from "#testing/half-duplex/contract";
import { buildGoProxies, findGo, type GoProxies, type GoProxy } from "#testing/half-duplex/go-proxy";
import { passOnBody, passOnStep, postPieces } from "#testing/passed-table";
import { type StartedFunction, startFunction } from "#testing/started-function";
import { bundledStandIn } from "#testing/watchdog/bundled-stand-in";
import { type StartedWatchdog, startWatchdog } from "#testing/watchdog/start-watchdog";

let fn: StartedFunction;
beforeAll(async () => {
  fn = await startFunction(passOnStep, { pool_size: "2", concurrency: "2" });
});
afterAll(() => fn?.stop());

describe("through the stand-in for of-watchdog", () => {
  let standIn: Awaited<ReturnType<typeof bundledStandIn>>;
  let watchdog: StartedWatchdog;
  beforeAll(async () => {
    standIn = await bundledStandIn();
    watchdog = await startWatchdog(standIn.command, fn.folder, { exec_timeout: "20s" });
  }, 60_000);
  afterAll(async () => {
    await watchdog?.stop();
    await standIn?.remove();
  });
  halfDuplexContract(() => watchdog.url);
});

const go = findGo("tables do not pass through its HTTP library");
if (go !== undefined) {
  describe("through Go's HTTP library, as in OpenFaaS' gateway and of-watchdog", () => {
    let proxies: GoProxies;
    let inFront: GoProxy;
    beforeAll(async () => {
      proxies = await buildGoProxies(go);
      inFront = await proxies.startBoth(fn.url);
    }, 300_000);
    afterAll(async () => {
      await inFront?.stop();
      await proxies?.remove();
    });
    halfDuplexContract(() => inFront.url);
  });
}

it("is not needed where nothing is in front, and the answer waits all the same", async () => {
  expect((await postPieces(fn.url, passOnBody(60))).wasSent).toBe(true);
});
