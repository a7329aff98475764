/** The flame graph of the path: gateway and sidecars by the inspector of this process, the control functions by their own. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { home } from "../stack/parties.ts";
import { readStack } from "../stack/read-stack.ts";
import { type CpuProfile, flameSvg, framesOf } from "./flame-graph.ts";
import { benchPath, type PathOptions } from "./path.ts";

const functions = ["orchestrator", "policy-enforcer", "archetype-selector"];
const sampleMicroseconds = 200;
/** In a function's process, which takes no --cpu-prof from its environment (Node 20); its start is not the path's. */
const preloaded = `
const { Session } = require("node:inspector");
const session = new Session();
session.connect();
const post = (method, params, done) => session.post(method, params, done);
setTimeout(() => {
  post("Profiler.enable");
  post("Profiler.setSamplingInterval", { interval: ${sampleMicroseconds} });
  post("Profiler.start");
}, 3000).unref();
process.on("exit", () => {
  post("Profiler.stop", {}, (_, { profile }) => require("node:fs").writeFileSync(process.env.profile_file, JSON.stringify(profile)));
});
`;
const shown = { shareMin: 0.004, depthMax: 38 };

/** @param file where the picture is written. @returns how many answers were wrong */
export async function benchFlame(options: PathOptions, file: string, say: (line: string) => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-flame-"));
  try {
    const stack = join(folder, "stack.yml");
    await writeFile(stack, await profiledStack(folder));
    await writeFile(join(folder, "profile.cjs"), preloaded);
    let own: CpuProfile | undefined;
    const profile = async <T>(run: () => Promise<T>): Promise<T> => {
      const [result, made] = await profiled(run);
      own = made;
      return result;
    };
    const wrong = await benchPath({ ...options, stack, profile }, say);
    const profiles = new Map(own === undefined ? [] : [["gateway and sidecars", [own]]]);
    for (const name of functions) profiles.set(name, [JSON.parse(await readFile(join(folder, name), "utf8"))]);
    const title = `Processor time of ${options.queries} queries beside their data steps`;
    await writeFile(file, flameSvg(framesOf(profiles), { title, ...shown }));
    return wrong;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The project's stack, whose control functions write a profile when they end. */
async function profiledStack(folder: string): Promise<string> {
  const stack = await readStack(join(home, "stack.yml"));
  const entries = stack.functions.map(({ name, ...rest }) => {
    const { constraints, secrets, labels, annotations, environment, lang, handler, image } = rest;
    const preload = { NODE_OPTIONS: `--require=${join(folder, "profile.cjs")}`, profile_file: join(folder, name) };
    const profiled = functions.includes(name) ? { ...environment, ...preload } : environment;
    return [name, { lang, handler, image, annotations, labels, constraints, secrets, environment: profiled }];
  });
  return stringify({ version: "1.0", provider: { name: "openfaas" }, functions: Object.fromEntries(entries) });
}

async function profiled<T>(run: () => Promise<T>): Promise<[T, CpuProfile]> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: sampleMicroseconds });
    await session.post("Profiler.start");
    const result = await run();
    const { profile } = await session.post("Profiler.stop");
    return [result, profile];
  } finally {
    session.disconnect();
  }
}
