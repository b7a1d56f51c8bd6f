// A private stack for a developer: prints the environment that points tests and processes to it, and keeps it up until
// Ctrl-C.  node infra/local/dev-stack.ts [state folder]
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StackError, stackEnvironment, startStack } from './stack.ts';

const stateDir = process.argv[2] ?? mkdtempSync(path.join(tmpdir(), 'corridor-dev-'));
try {
  const stack = await startStack({
    stateDir,
    ephemeral: process.argv[2] === undefined,
    onProgress: (line) => console.error(line),
    onUnexpectedExit: (server, how) => console.error(`${server} ended on its own (${how})`),
  });
  for (const [name, value] of Object.entries(stackEnvironment(stack.urls))) console.log(`export ${name}='${value}'`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stack.stop());
} catch (error) {
  console.error(error instanceof StackError ? error.toString() : error);
  process.exitCode = 1;
}
