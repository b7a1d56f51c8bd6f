// A Python environment for the examples, made once and kept in the state folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Path of a Python that has these requirements, in a folder of this name. Throws with what pip said when they cannot be installed. */
export async function pythonWith(requirements: string, name = 'python'): Promise<string> {
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const folder = path.join(ROOT, '.corridor', name);
  const python = path.join(folder, 'bin', 'python');
  const stamp = path.join(folder, '.made-from');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`python: installing ${path.relative(ROOT, requirements)} (once)\n`);
  must('python3', ['-m', 'venv', folder], 'Python 3 with venv is needed (Debian: apt-get install python3-venv)');
  must(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], 'the requirements could not be installed');
  writeFileSync(stamp, wanted);
  return python;
}

function must(command: string, args: readonly string[], help: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${help}: ${error?.message ?? stderr}`);
}
