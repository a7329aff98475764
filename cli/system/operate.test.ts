/**
 * docs/operate.md, followed: what is not marked as needing a cluster is typed, section after section, into one shell in an
 * empty folder, and what it prints is held to what the page shows. Only ports differ.
 */
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Etcd, etcdIsThere, startEtcd } from "#testing/etcd";
import { fits, Shell, stepsIn } from "#testing/followed-page";
import { freePort } from "#testing/free-port";

const checkout = resolve(import.meta.dirname, "../..");
const page = await readFile(join(checkout, "docs/operate.md"), "utf8");
const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title ?? "");
/** A command that failed has printed that too. */
const tellEnd = 'code=$?; [ $code = 0 ] || echo "exit code $code"; echo ended';
const isThere = etcdIsThere("docs/operate.md");

it("says of each of its commands whether it needs a cluster", () => {
  const blocks = [...page.matchAll(/^ *```(.*)\n([\s\S]*?)^ *```$/gm)];
  expect(blocks.length).toBeGreaterThan(10);
  const typed = sections.flatMap((title) => stepsIn(page, title)).map(({ command }) => command);
  for (const [, language, block = ""] of blocks) {
    expect(language, "a block with a language is not typed").toBe("");
    const commands = [...block.matchAll(/^\$ (.*)/gm)].map(([, command]) => command ?? "");
    expect(commands.length, block).toBeGreaterThan(0);
    if (block.startsWith("# needs a cluster\n")) continue;
    for (const command of commands)
      expect(
        typed.some((one) => one.startsWith(command)),
        command,
      ).toBe(true);
  }
});

describe.skipIf(!isThere)("the page", () => {
  let etcd: Etcd;
  let folder: string;
  let shells: Shell[];
  let text: string;

  beforeAll(async () => {
    etcd = await startEtcd();
    folder = await mkdtemp(join(tmpdir(), "dynamos-operate-"));
    const [bin, work] = [join(folder, "bin"), join(folder, "work")];
    await mkdir(bin);
    await mkdir(work);
    await writeFile(
      join(bin, "dynamos"),
      `#!/bin/sh\nexec "${process.execPath}" "${checkout}/cli/bin/dynamos.mjs" "$@"\n`,
    );
    await chmod(join(bin, "dynamos"), 0o755);
    for (const name of ["functions", "template", "templates", "shared", "cli", "package.json", "package-lock.json"]) {
      await symlink(join(checkout, name), join(work, name));
    }
    await cp(join(checkout, "stack.yml"), join(work, "stack.yml"));
    const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder, TMPDIR: folder, NO_COLOR: "1" };
    shells = [new Shell(env), new Shell(env)];
    for (const shell of shells) await shell.type(`cd ${work}; echo "ended: $?"`, /ended: 0\n$/);
    text = page.replaceAll(":8080", `:${await freePort()}`).replaceAll("http://127.0.0.1:2379", etcd.url);
    const [port] = /:(\d+) \(Ctrl-C/.exec(text)?.slice(1) ?? [];
    text = text.replace("--port 8080", `--port ${port}`);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(shells.map((shell) => shell.end()));
    await etcd.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  it("is followed word for word", async () => {
    const steps = sections.flatMap((title) => stepsIn(text, title));
    expect(steps.length).toBeGreaterThan(15);
    const [first, second] = shells as [Shell, Shell];
    for (const { command, output } of steps) {
      if (command.startsWith("dynamos up")) {
        // It runs until the end, in its own terminal.
        const started = await second.type(command, /^ready at .*\n/m, 120_000);
        expect(started).toContain("starting the sidecars");
        continue;
      }
      const printed = await first.type(`${command}\n${tellEnd}`, /ended\n$/, 120_000);
      // Said first where the sources have changed since.
      const said = printed.replace(/^built .*\n/, "");
      expect(fits(output, said), `${command}\nis to print\n${output}\nand printed\n${printed}`).toBe(true);
    }
  }, 600_000);
});
