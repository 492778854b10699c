/** Tells each failure when it happens, and the closing line of a run: how many tests passed, failed and were skipped, and the names of those skipped. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class CountReporter implements Reporter {
  /** A long run is not waited for to know why its first test failed. */
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state !== 'failed') return;
    console.log(`failed: ${test.module.relativeModuleId}: ${test.fullName}`);
    for (const each of errors) console.log([each.message, each.diff ?? '', each.stack ?? ''].join('\n'));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const of = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const broken = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0).length;
    const skipped = of('skipped');
    for (const test of skipped) console.log(`skipped: ${test.fullName}`);
    const failed = of('failed').length + broken + unhandledErrors.length;
    console.log(`${of('passed').length} passed, ${failed} failed, ${skipped.length} skipped`);
  }
}
