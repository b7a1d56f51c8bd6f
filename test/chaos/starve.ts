// Takes processor, memory and disk away from a run: what a machine is like that others use.
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { FOLLOW_PARENT, followed } from '../../infra/local/follow-parent.ts';

const MEMORY_MB = 512;

const PROGRAM = `
const [what, argument] = process.argv.slice(1);
if (what === 'busy') for (;;) Math.sqrt(Math.random());
if (what === 'memory') {
  const held = Buffer.alloc(Number(argument) * 1_048_576, 1);
  setInterval(() => { for (let at = 0; at < held.length; at += 4_096) held[at]++; }, 200);
}
if (what === 'disk') {
  const { openSync, writeSync, fsyncSync, ftruncateSync } = await import('node:fs');
  const file = openSync(argument, 'w');
  const block = Buffer.alloc(4 * 1_048_576, 1);
  for (let written = 0; ; written++) {
    if (written % 16 === 0) ftruncateSync(file, 0);
    writeSync(file, block);
    fsyncSync(file);
  }
}`;

/** Two busy loops a processor, memory that is used all the time, and a writer that syncs; until it is called. */
export function starve(dir: string): () => void {
  const start = (...args: string[]) =>
    spawn(process.execPath, [...FOLLOW_PARENT, '--input-type=module', '--eval', PROGRAM, ...args], {
      env: followed(process.env),
      stdio: 'ignore',
    });
  const hungry: ChildProcess[] = Array.from({ length: 2 * availableParallelism() }, () => start('busy'));
  hungry.push(start('memory', String(MEMORY_MB)), start('disk', path.join(dir, 'starved-disk')));
  return () => {
    for (const child of hungry) child.kill('SIGKILL');
  };
}
