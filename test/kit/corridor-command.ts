// A command of `corridor`, run to its end as a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param env all of its environment
 * @param onError told all that it has said on standard error, each time it says more
 */
export async function runCorridor(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onError?: (said: string) => void,
): Promise<CommandEnd> {
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    onError?.(stderr);
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}
