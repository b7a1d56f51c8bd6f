// Python environments of tests and examples: one for each list of requirements, made once and kept in the state folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from '../../infra/local/files.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Path of a Python that has these requirements. Throws with what pip said when they cannot be installed. */
export async function pythonWith(requirements: string): Promise<string> {
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const folder = path.join(ROOT, '.corridor', 'python', wanted.slice(0, 16));
  mkdirSync(path.dirname(folder), { recursive: true });
  // Two runs of tests at once ask for the same one.
  return withLock(`${folder}.lock`, async () => made(folder, requirements));
}

function made(folder: string, requirements: string): string {
  const python = path.join(folder, 'bin', 'python');
  const stamp = path.join(folder, '.made');
  if (existsSync(stamp)) return python;
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`python: installing ${path.relative(ROOT, requirements)} (once)\n`);
  must('python3', ['-m', 'venv', folder], 'Python 3 with venv is needed (Debian: apt-get install python3-venv)');
  must(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], 'the requirements could not be installed');
  writeFileSync(stamp, '');
  return python;
}

function must(command: string, args: readonly string[], help: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${help}: ${error?.message ?? stderr}`);
}
