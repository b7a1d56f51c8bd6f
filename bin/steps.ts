// Steps of a gate: each passes or fails as a whole or test by test, and the last line counts all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { FOLLOW_PARENT, followed } from '../infra/local/follow-parent.ts';

const root = path.resolve(import.meta.dirname, '..');

/** How long what a process printed last is waited for once it has ended. */
const LAST_LINES_MS = 5_000;

interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** What failed and why, a line each. */
  readonly failures?: readonly string[];
}

export interface Step {
  readonly name: string;
  /** @param label begins each line of what is printed: of steps that run beside others */
  run(label?: string): Promise<Counts>;
}

interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A program of this repository that passes when it exits 0. */
export function command(name: string, args: readonly string[]): Step {
  return {
    name,
    run: async (label) =>
      (await execute(args, {}, label)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 },
  };
}

/** Tests, counted one by one. A skipped test is a failure here, and so is a run without tests. */
export function tests(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Step {
  return {
    name,
    run: async (label) => {
      const dir = mkdtempSync(path.join(tmpdir(), 'corridor-tests-'));
      const report = path.join(dir, 'tests.json');
      const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
      const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
      const status = await execute([vitest, 'run', ...reporters, ...args], env, label);
      const counts = countsOf(report);
      rmSync(dir, { recursive: true, force: true });
      return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
    },
  };
}

/** Steps that run at the same time, since each waits more than it works. Their lines begin with their names. */
export function together(steps: readonly Step[]): Step {
  return {
    name: steps.map(({ name }) => name).join(', beside '),
    run: async () => {
      const began = performance.now();
      const all = await Promise.all(
        steps.map(async (step) => {
          const counts = await step.run(`[${step.name}] `);
          console.log(`== ${step.name}: ${counts.passed} passed, ${counts.failed} failed, ${minutes(began)}`);
          const named = counts.failed === 0 ? [] : [`step: ${step.name}`];
          return { ...counts, failures: [...(counts.failures ?? []), ...named] };
        }),
      );
      return {
        passed: all.reduce((sum, { passed }) => sum + passed, 0),
        failed: all.reduce((sum, { failed }) => sum + failed, 0),
        failures: all.flatMap(({ failures }) => failures),
      };
    },
  };
}

/** Runs each step, whatever became of those before it; ends the process: 0 when nothing failed. */
export async function runSteps(steps: readonly Step[]): Promise<never> {
  const began = performance.now();
  let passed = 0;
  let failed = 0;
  const failures: string[] = [];
  for (const [index, step] of steps.entries()) {
    console.log(`== ${step.name} (step ${index + 1} of ${steps.length}, ${minutes(began)} so far)`);
    const counts = await step.run();
    passed += counts.passed;
    failed += counts.failed;
    if (counts.failed === 0) continue;
    console.log(`== FAILED: ${step.name}`);
    failures.push(...(counts.failures ?? []), `step: ${step.name}`);
  }
  // Once more at the end: a log that is cut keeps its end.
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`all steps took ${minutes(began)}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

/** @returns its exit code; null: a signal ended it */
async function execute(args: readonly string[], env: NodeJS.ProcessEnv, label?: string): Promise<number | null> {
  const output = label === undefined ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, [...FOLLOW_PARENT, ...args], {
    cwd: root,
    stdio: ['ignore', output, output],
    env: followed({ ...process.env, ...env }),
  });
  for (const from of [child.stdout, child.stderr])
    if (from) createInterface({ input: from }).on('line', (line) => console.log(`${label}${line}`));
  const closed = once(child, 'close');
  const [code] = (await once(child, 'exit')) as [number | null];
  // Its last lines; a server that it left behind may hold them open.
  await Promise.race([closed, setTimeout(LAST_LINES_MS)]);
  return code;
}

function countsOf(report: string): Counts {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    ) as TestReport;
    const skipped = numPendingTests + numTodoTests;
    if (skipped > 0) console.log(`${skipped} tests were skipped: here that is a failure`);
    // A file that fails before its first test has no failed test.
    const broken = testResults.filter(({ status, message }) => status === 'failed' && message !== '');
    const failed = numFailedTests + skipped + broken.length + (numPassedTests === 0 ? 1 : 0);
    return { passed: numPassedTests, failed, failures: testResults.flatMap(failuresOf) };
  } catch (error) {
    console.log(`no test report: ${(error as Error).message}`);
    return { passed: 0, failed: 1 };
  }
}

function failuresOf({ status, name, message, assertionResults }: TestReport['testResults'][number]): string[] {
  const file = path.relative(root, name);
  const failed = assertionResults
    .filter((result) => result.status === 'failed')
    .map(({ fullName, failureMessages }) => `${file}: ${fullName}: ${start(failureMessages[0] ?? '')}`);
  return status === 'failed' && message !== '' ? [...failed, `${file} as a whole: ${start(message)}`] : failed;
}

/** The start of a message on one line. */
const start = (message: string) => message.replace(/\s+/g, ' ').slice(0, 300);

const minutes = (since: number) => `${((performance.now() - since) / 60_000).toFixed(1)} min`;
