/** .ci/install-openfaas-tools.sh with a `go` that does as each test says. */
import { spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../.ci/install-openfaas-tools.sh");
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "dynamos-tools-"));
  for (const folder of [".ci", "bin"]) await mkdir(join(home, folder));
  await cp(script, join(home, ".ci/install.sh"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** @param body of a shell script; it writes down how it was called */
async function placeGo(body: string): Promise<void> {
  await writeFile(join(home, "bin/go"), `#!/bin/sh\necho "$@" >> "${home}/called"\n${body}\n`);
  await chmod(join(home, "bin/go"), 0o755);
}

function run(secondsMax = "20") {
  const { status, stdout, stderr } = spawnSync("bash", [join(home, ".ci/install.sh")], {
    encoding: "utf8",
    timeout: 20_000,
    env: { PATH: `${join(home, "bin")}:/usr/bin:/bin`, HOME: home, OPENFAAS_TOOLS_SECONDS_MAX: secondsMax },
  });
  return { status, written: `${stdout}${stderr}` };
}

const calls = () =>
  readFile(join(home, "called"), "utf8").then(
    (text) => text.trim().split("\n"),
    () => [],
  );

it("installs both, of one version each, and then has nothing to do", async () => {
  await placeGo('file="$GOBIN/$(basename "$2" | cut -d@ -f1)"; printf "#!/bin/sh\\n" > "$file"; chmod +x "$file"');
  expect(run()).toEqual({ status: 0, written: "" });
  expect(await calls()).toEqual([
    expect.stringMatching(/^install github\.com\/openfaas\/faas-cli@\d+\.\d+\.\d+$/),
    expect.stringMatching(/^install github\.com\/openfaas\/of-watchdog@\d+\.\d+\.\d+$/),
  ]);
  expect(run()).toEqual({ status: 0, written: "" });
  expect(await calls()).toHaveLength(2);
});

it("says in one line that it is refused, asks once, and asks again after a while", async () => {
  await placeGo('echo "go: github.com/openfaas/x: reading https://example.org/x.info: 403 Forbidden" >&2; exit 1');
  const line = (more: string) =>
    `SKIPPED: faas-cli and of-watchdog can't be had here (403 Forbidden${more}); suites that need them use stand-ins or do not run\n`;
  expect(run()).toEqual({ status: 0, written: line("") });
  expect(run()).toEqual({ status: 0, written: line(", a moment ago") });
  expect(await calls()).toHaveLength(1);
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
  await utimes(join(home, "build/tools/.refused"), twoHoursAgo, twoHoursAgo);
  expect(run()).toEqual({ status: 0, written: line("") });
  expect(await calls()).toHaveLength(2);
});

it("gives up what does not come within its time", async () => {
  await placeGo("exec sleep 60");
  expect(run("1")).toEqual({ status: 0, written: expect.stringContaining("(not within 1 s)") });
});

it("says that there is no Go", () => {
  expect(run()).toEqual({ status: 0, written: expect.stringMatching(/^SKIPPED: .*\(there is no Go\).*\n$/) });
});
