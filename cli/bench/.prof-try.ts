import { benchRowsAlone } from "/work/main/cli/bench/rows-alone.ts";
await benchRowsAlone({ rows: 30_000, rounds: 60 }, () => {});
