/** `npm run bench`: p50, p95 and queries per second of a whole query, both brokers side by side. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { benchWholeQuery } from "./whole-query.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    queries: { type: "string", default: "20" },
    seconds: { type: "string", default: "3" },
    callers: { type: "string", default: "4" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write("npm run bench -- [--rounds 3] [--queries 20] [--seconds 3] [--callers 4]\n");
} else {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  say(`load of the machine at the start: ${loadavg()[0]?.toFixed(2)}`);
  const wrong = await benchWholeQuery(
    {
      rounds: Number(values.rounds),
      pacedQueries: Number(values.queries),
      pauseMs: 100,
      saturatedSeconds: Number(values.seconds),
      callers: Number(values.callers),
    },
    say,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}
