/** What must hold before a release. Each check gives sentences of what does not; none: it holds. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { changelogSection } from "./changelog.ts";
import { contractFaults } from "./released-contracts.ts";
import { isVersion } from "./set-version.ts";

export interface Check {
  readonly name: string;
  faults(): readonly string[];
}

export interface ReleaseWanted {
  /** The checkout. */
  readonly home: string;
  readonly version: string;
  /** A version without a date in CHANGELOG.md will do. */
  readonly isDryRun: boolean;
}

export function releaseChecks({ home, version, isDryRun }: ReleaseWanted): Check[] {
  return [
    { name: "the version is new", faults: () => versionFaults(home, version) },
    { name: "the tree is clean", faults: () => treeFaults(home) },
    { name: "CHANGELOG.md has the version", faults: () => changelogFaults(home, version, isDryRun) },
    {
      name: "the contracts go with those of the last release",
      faults: () => contractFaults(home, tagsOf(home).length > 0),
    },
  ];
}

function versionFaults(home: string, version: string): string[] {
  if (!isVersion(version)) return [`${version} is not a version like 1.2.3`];
  return tagsOf(home).includes(`v${version}`) ? [`there is a tag v${version} already`] : [];
}

function treeFaults(home: string): string[] {
  const changed = git(home, "status", "--porcelain").split("\n").filter(Boolean);
  return changed.length === 0 ? [] : ["what is not committed would not be in the tag:", ...changed];
}

function changelogFaults(home: string, version: string, isDryRun: boolean): string[] {
  const section = changelogSection(readFileSync(join(home, "CHANGELOG.md"), "utf8"), version);
  if (section === undefined) return [`it has no section "## [${version}] - YYYY-MM-DD" with text below`];
  if (section.date !== undefined || isDryRun) return [];
  return [`its section of ${version} has no date: "## [${version}] - YYYY-MM-DD"`];
}

function tagsOf(home: string): string[] {
  return git(home, "tag", "--list", "v*").split("\n").filter(Boolean);
}

/** @throws Error with what git says */
export function git(home: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("git", args, { cwd: home, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args[0]}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}
