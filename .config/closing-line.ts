/** The last line of a test run: `N passed, N failed`, for machines that read it. */
import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let [passed, failed, skipped] = [0, errors.length, 0];
    for (const module of modules) {
      // A file that can't be loaded has no tests to count.
      if (module.errors().length > 0) failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
        else skipped += 1;
      }
    }
    if (passed + failed === 0) process.exitCode = 1;
    const skips = skipped === 0 ? "" : `, ${skipped} skipped`;
    // After vitest's own summary, which is written when the reporters are done.
    process.once("exit", () => process.stdout.write(`\n${passed} passed, ${failed} failed${skips}\n`));
  }
}
