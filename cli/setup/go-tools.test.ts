/** .ci/install-go-tools.sh with a `go` that does as each test says. */
import { spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../.ci/install-go-tools.sh");
/** Makes what it is asked for, as `go install` does. */
const install =
  'file="$GOBIN/$(echo "$2" | sed -E "s,(/v[0-9]+)?@.*,,; s,.*/,,")"; printf "#!/bin/sh\\n" > "$file"; chmod +x "$file"';
const refuse = 'echo "go: github.com/openfaas/x: reading https://example.org/x.info: 403 Forbidden" >&2; exit 1';
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
    env: { PATH: `${join(home, "bin")}:/usr/bin:/bin`, HOME: home, GO_TOOLS_SECONDS_MAX: secondsMax },
  });
  return { status, written: `${stdout}${stderr}` };
}

const calls = () =>
  readFile(join(home, "called"), "utf8").then(
    (text) => text.trim().split("\n"),
    () => [],
  );

const line = (tools: string, why: string) =>
  `SKIPPED: ${tools} can't be had here (${why}); suites that need such a tool use a stand-in or do not run\n`;

it("installs all, of one version each, and then has nothing to do", async () => {
  await placeGo(install);
  expect(run()).toEqual({ status: 0, written: "" });
  expect(await calls()).toEqual([
    expect.stringMatching(/^install github\.com\/openfaas\/faas-cli@\d+\.\d+\.\d+$/),
    expect.stringMatching(/^install github\.com\/openfaas\/of-watchdog@\d+\.\d+\.\d+$/),
    expect.stringMatching(/^install sigs\.k8s\.io\/kustomize\/kustomize\/v5@v5\.\d+\.\d+$/),
  ]);
  expect(run()).toEqual({ status: 0, written: "" });
  expect(await calls()).toHaveLength(3);
});

it("says in one line for each source that it is refused, asks it once, and asks again after a while", async () => {
  await placeGo(refuse);
  const lines = (more: string) =>
    ["faas-cli and of-watchdog", "kustomize"].map((tools) => line(tools, `403 Forbidden${more}`)).join("");
  expect(run()).toEqual({ status: 0, written: lines("") });
  expect(run()).toEqual({ status: 0, written: lines(", a moment ago") });
  expect(await calls()).toHaveLength(2);
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const source of ["openfaas", "kustomize"]) {
    await utimes(join(home, `build/tools/.refused-${source}`), twoHoursAgo, twoHoursAgo);
  }
  expect(run()).toEqual({ status: 0, written: lines("") });
  expect(await calls()).toHaveLength(4);
});

it("gets kustomize where OpenFaaS is refused", async () => {
  await placeGo(`case "$2" in *openfaas*) ${refuse};; esac\n${install}`);
  expect(run()).toEqual({ status: 0, written: line("faas-cli and of-watchdog", "403 Forbidden") });
  expect(run()).toEqual({ status: 0, written: line("faas-cli and of-watchdog", "403 Forbidden, a moment ago") });
  expect(await calls()).toHaveLength(2);
});

it("gives up what does not come within its time", async () => {
  await placeGo("exec sleep 60");
  const why = "not within 1 s";
  expect(run("1")).toEqual({ status: 0, written: `${line("faas-cli and of-watchdog", why)}${line("kustomize", why)}` });
});

it("says that there is no Go", () => {
  const why = "there is no Go";
  expect(run()).toEqual({ status: 0, written: `${line("faas-cli and of-watchdog", why)}${line("kustomize", why)}` });
});
