#!/usr/bin/env node
/** The `dynamos` command of a checkout: the set-up does the rest, in this process. */
process.argv.splice(2, 0, "dynamos");
await import("../setup/run.mjs");
