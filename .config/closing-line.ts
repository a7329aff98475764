/** The last line of a test run: `N passed, N failed`, for machines that read it. */
import type { Reporter, TestModule } from "vitest/node";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export default class ClosingLine implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  /** The line is written at the exit: after vitest's own summary, and also when no test was reached. */
  onInit(): void {
    process.once("exit", (code) => process.stdout.write(`\n${closingLine(this.#counts, code)}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.#counts = count(modules, errors.length);
    if (this.#counts.passed + this.#counts.failed === 0) process.exitCode = 1;
  }
}

/** A run that failed without a failed test (a set-up that threw, no test found) counts as one failure. */
function closingLine({ passed, failed, skipped }: Counts, exitCode: number): string {
  const failures = failed === 0 && exitCode !== 0 ? 1 : failed;
  return `${passed} passed, ${failures} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

/** Failures are tests, files that can't be loaded, suites whose hooks throw, and errors outside of any test. */
function count(modules: readonly TestModule[], errors: number): Counts {
  let [passed, failed, skipped] = [0, errors, 0];
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") passed += 1;
      else if (state === "failed") failed += 1;
      else skipped += 1;
    }
  }
  return { passed, failed, skipped };
}
