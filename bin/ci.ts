// The gate behind .ci/run: checks, then all tests. A skipped test is a failure here, and so is a run without tests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly name: string; readonly message: string }[];
}

const run = (args: readonly string[]) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: process.env }).status;

console.log('== checks');
const checks = run(['bin/check.ts']);

console.log('== tests');
const report = path.join(mkdtempSync(path.join(tmpdir(), 'corridor-ci-')), 'tests.json');
const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
const tests = run([vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);

let passed = checks === 0 ? 1 : 0;
let failed = checks === 0 ? 0 : 1;
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  ) as TestReport;
  passed += numPassedTests;
  failed += numFailedTests;
  const skipped = numPendingTests + numTodoTests;
  if (skipped > 0) console.log(`${skipped} tests were skipped: here that is a failure`);
  failed += skipped;
  // A file that fails before its first test has no failed test.
  const broken = testResults.filter(({ status, message }) => status === 'failed' && message !== '');
  for (const { name } of broken) console.log(`failed as a whole: ${path.relative(root, name)}`);
  failed += broken.length;
  if (numPassedTests === 0) failed++;
} catch (error) {
  console.log(`no test report: ${(error as Error).message}`);
  failed++;
}
if (tests !== 0 && failed === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
