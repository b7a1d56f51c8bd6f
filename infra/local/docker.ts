// The docker command, for what is asked of a daemon directly.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StackError } from './fault.ts';

const ASK_MS = 10_000;

/** Does a daemon answer? A docker command without one is common, and not enough. */
export async function dockerAnswers(env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('docker', ['info', '--format', '{{.ServerVersion}}'], {
      env,
      timeout: ASK_MS,
    });
    return /^\d/.test(stdout.trim());
  } catch {
    return false;
  }
}

/** Runs a docker command and resolves with what it printed. Throws StackError CONTAINER_FAILED. */
export async function docker(...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)('docker', args)).stdout.trim();
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() ?? String(error);
    throw new StackError(
      'CONTAINER_FAILED',
      `docker ${args[0]} failed: ${said.slice(0, 400)}`,
      'Check that Docker runs (`docker info`) and has memory and disk left, and try again.',
      { cause: error },
    );
  }
}
