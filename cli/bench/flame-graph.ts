/** Profiles of V8 as one flame graph in SVG: width is processor time, what calls is below, its process at the bottom. */

/** As `node --cpu-prof` and the inspector write it (Chrome DevTools protocol, Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[] | undefined;
  }[];
  readonly samples?: readonly number[] | undefined;
  /** Microseconds since the sample before. */
  readonly timeDeltas?: readonly number[] | undefined;
}

export interface Frame {
  readonly name: string;
  ms: number;
  readonly callers: Map<string, Frame>;
}

export interface FlameOptions {
  readonly title: string;
  /** Frames of a smaller share of the whole are left out. */
  readonly shareMin: number;
  /** What is deeper is left out. */
  readonly depthMax: number;
}

/** Time in which a process waits is not in it. */
const idle: ReadonlySet<string> = new Set(["(idle)", "(root)"]);

/** @param profiles by the name of their process */
export function framesOf(profiles: ReadonlyMap<string, readonly CpuProfile[]>): Frame {
  const all: Frame = { name: "all", ms: 0, callers: new Map() };
  for (const [name, list] of profiles) for (const profile of list) addProfile(all, name, profile);
  return all;
}

function addProfile(all: Frame, process: string, { nodes, samples = [], timeDeltas = [] }: CpuProfile): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const stacks = new Map<number, string[] | undefined>();
  const stackOf = (id: number): string[] | undefined => {
    const names: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = byId.get(at)?.callFrame;
      if (frame !== undefined && frame.functionName !== "(root)") names.push(nameOf(frame));
    }
    return idle.has(byId.get(id)?.callFrame.functionName ?? "") ? undefined : names.reverse();
  };
  for (const [index, id] of samples.entries()) {
    if (!stacks.has(id)) stacks.set(id, stackOf(id));
    const stack = stacks.get(id);
    if (stack !== undefined) addStack(all, [process, ...stack], (timeDeltas[index] ?? 0) / 1_000);
  }
}

function addStack(all: Frame, stack: readonly string[], ms: number): void {
  let at = all;
  at.ms += ms;
  for (const name of stack) {
    const next = at.callers.get(name) ?? { name, ms: 0, callers: new Map() };
    at.callers.set(name, next);
    next.ms += ms;
    at = next;
  }
}

/** `deliver shared/sidecar/deliver.ts`; nothing of where the checkout lies. */
function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? `line ${lineNumber + 1}` : functionName;
  const file = /(?:^|\/)((?:shared|functions|cli|node_modules)\/[^?]*)/.exec(
    url.replace(/^.*\/node_modules\//, "node_modules/"),
  )?.[1];
  if (file !== undefined) return `${name} ${file.replace(/^node_modules\//, "")}`;
  return url.startsWith("node:") ? `${name} ${url}` : name;
}

const [width, rowHeight, charWidth] = [1_200, 16, 6.2];

/** @returns a picture that says each frame's name and time when it is pointed at, without a script */
export function flameSvg(all: Frame, { title, shareMin, depthMax }: FlameOptions): string {
  const rows: string[] = [];
  let deepest = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const w = (frame.ms / all.ms) * width;
    if (frame.ms / all.ms < shareMin || depth > depthMax) return;
    deepest = Math.max(deepest, depth);
    rows.push(rectangle(frame, all, { x, w, depth }));
    let at = x;
    for (const next of [...frame.callers.values()].sort((a, b) => b.ms - a.ms)) {
      draw(next, at, depth + 1);
      at += (next.ms / all.ms) * width;
    }
  };
  draw(all, 0, 0);
  const height = (deepest + 2) * rowHeight + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="10">`,
    `<text x="4" y="12" font-size="12">${escaped(title)}</text>`,
    `<g transform="translate(0 ${height - rowHeight}) scale(1 1)">`,
    ...rows,
    "</g></svg>\n",
  ].join("\n");
}

function rectangle(frame: Frame, all: Frame, { x, w, depth }: { x: number; w: number; depth: number }): string {
  const y = -depth * rowHeight;
  const chars = Math.floor((w - 4) / charWidth);
  const label =
    chars < 4 ? "" : `<text x="${tenth(x + 2)}" y="${y + 11}">${escaped(frame.name.slice(0, chars))}</text>`;
  const share = ((100 * frame.ms) / all.ms).toFixed(1);
  const what = `<title>${escaped(frame.name)}: ${tenth(frame.ms)} ms, ${share} %</title>`;
  const shape = `<rect x="${tenth(x)}" y="${y}" width="${tenth(w)}" height="${rowHeight - 1}" fill="${colourOf(frame.name)}"/>`;
  return `<g>${what}${shape}${label}</g>`;
}

/** By where the code is from: ours, a library's, Node's, the engine's. */
function colourOf(name: string): string {
  if (/ (shared|functions|cli)\//.test(name)) return "#f6b26b";
  if (/ node:/.test(name)) return "#9fc5e8";
  return name.includes(" ") ? "#b6d7a8" : "#dddddd";
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
