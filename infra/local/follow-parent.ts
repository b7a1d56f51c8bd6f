// How a program of ours is started so that it ends when its starter does, however that one ends.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const PRELOAD = pathToFileURL(path.resolve(import.meta.dirname, '../../bin/follow-parent.mjs')).href;

/** Arguments of Node that come before the entry. */
export const FOLLOW_PARENT: readonly string[] = ['--import', PRELOAD];

/** An environment that names this process as the starter; without it, one that dies at once would not be missed. */
export function followed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, CORRIDOR_STARTER_PID: String(process.pid) };
}
