/** What CHANGELOG.md says of one version (https://keepachangelog.com). */
export interface ChangelogSection {
  /** `YYYY-MM-DD`; undefined: not released yet. */
  readonly date: string | undefined;
  /** Markdown below its heading. */
  readonly text: string;
}

/** @returns undefined: it says nothing of this version */
export function changelogSection(changelog: string, version: string): ChangelogSection | undefined {
  for (const section of changelog.split(/^(?=## )/m)) {
    const [heading = "", ...lines] = section.split("\n");
    const [, named, when = ""] = /^## \[([^\]]+)\] - (\S+)\s*$/.exec(heading) ?? [];
    const text = lines.join("\n").trim();
    if (named !== version || text === "") continue;
    return { date: /^\d{4}-\d{2}-\d{2}$/.test(when) ? when : undefined, text };
  }
  return undefined;
}
