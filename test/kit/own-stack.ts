// Servers of a file of tests alone: started before its tests, stopped after all else, with nothing left on the disk.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type LocalStack, type StackOptions, type StackUrls, startStack } from '../../infra/local/stack.ts';

export interface OwnStack {
  /** Of the servers, once they run. */
  readonly urls: StackUrls;
  readonly stack: LocalStack;
  readonly stateDir: string;
}

/** To be called once, at the top of a file: hooks after it find the servers running, and its own end comes last. */
export function useOwnStack(name: string, options: Omit<StackOptions, 'stateDir'> = {}): OwnStack {
  const stateDir = mkdtempSync(path.join(tmpdir(), `corridor-${name}-`));
  let stack: LocalStack | undefined;
  const started = () => {
    if (stack === undefined) throw new Error('the servers do not run yet: ask in a hook or a test');
    return stack;
  };
  beforeAll(async () => {
    stack = await startStack({ ...options, stateDir });
  }, 300_000);
  afterAll(async () => {
    await stack?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }, 120_000);
  return {
    stateDir,
    get stack() {
      return started();
    },
    get urls() {
      return started().urls;
    },
  };
}
