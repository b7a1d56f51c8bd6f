// A verifier of the audit log that is not ours, built once by Go: its modules are pinned in audit-verifier/go.sum.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';

const SOURCE = path.join(import.meta.dirname, 'audit-verifier');
const BUILT = path.resolve(import.meta.dirname, '../../.corridor/audit-verifier');

/** How long the first build may take, ms: Go downloads and compiles. For the hook that builds it before any test. */
export const BUILD_MS = 900_000;

/** Path of the program, built when it is not there. Throws with what Go said when it cannot be built; Go 1.26 or later is needed. */
export function builtVerifier(): string {
  const sources = readdirSync(SOURCE).toSorted();
  const hash = createHash('sha256');
  for (const file of sources) hash.update(readFileSync(path.join(SOURCE, file)));
  const target = path.join(BUILT, hash.digest('hex').slice(0, 16));
  if (existsSync(target)) return target;
  mkdirSync(BUILT, { recursive: true });
  process.stderr.write('go: building the verifier of the audit log (once)\n');
  // Two runs of tests at once may build it: each its own, and the last one stays.
  const built = `${target}.${process.pid}`;
  const { status, stderr, error } = spawnSync('go', ['build', '-mod=readonly', '-o', built, '.'], {
    cwd: SOURCE,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Go 1.26 is needed on the PATH, and its modules: ${error?.message ?? stderr}`);
  renameSync(built, target);
  return target;
}

/** Verifies an exported folder. */
export function verifyWithGo(
  folder: string,
  publicKeys: readonly string[],
): { readonly ok: boolean; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(builtVerifier(), [folder, ...publicKeys], { encoding: 'utf8' });
  return { ok: status === 0, said: `${stdout}${stderr}`.trim() };
}
