// Starts one private stack for all tests that need real servers, when the first such project runs; the last one to end
// stops it. Servers named by CORRIDOR_* and MONGODB_URI are used as they are, which makes a developer's loop short.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { type LocalStack, StackError, type StackUrls, startStack } from '../../infra/local/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the servers of this test run are: `inject('stack')`. */
    stack: StackUrls;
  }
}

interface Shared {
  stack: Promise<LocalStack>;
  users: number;
}

/** Vitest loads this file once for each project, so what they share lives on the process. */
const KEY = Symbol.for('corridor.test-stack');
const store = globalThis as { [KEY]?: Shared };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  store[KEY] ??= { stack: start(), users: 0 };
  const shared = store[KEY];
  shared.users++;
  project.provide('stack', (await shared.stack).urls);
  return async () => {
    shared.users--;
    if (shared.users > 0) return;
    delete store[KEY];
    await (await shared.stack).stop();
  };
}

async function start(): Promise<LocalStack> {
  try {
    return await startStack({
      stateDir: mkdtempSync(path.join(tmpdir(), 'corridor-test-')),
      ephemeral: true,
      onProgress: (line) => process.stderr.write(`stack: ${line}\n`),
      onUnexpectedExit: (server, how) => process.stderr.write(`stack: ${server} ended on its own (${how})\n`),
    });
  } catch (error) {
    // Vitest prints only the message.
    if (error instanceof StackError) throw new Error(error.toString(), { cause: error });
    throw error;
  }
}
