/** When V8's best compiler begins, in a process that is forked. */
import { setFlagsFromString } from "node:v8";

/**
 * What it made of the rehearsals' loops, a child has. But a child's one call is over before that compiler has paid for
 * itself, unless the table is large: so from here on it begins after ten times as much work, also where half of that
 * has been done. From V8 12 on it begins late enough by itself. One more rehearsal must follow: what V8 has decided to
 * compile, it compiles at the next call, and that is to be the parent's.
 */
export function optimizeLate(): void {
  if (Number.parseInt(process.versions.v8, 10) >= 12) return;
  setFlagsFromString("--ticks-before-optimization=30");
  setFlagsFromString("--max-bytecode-size-for-early-opt=0");
}
