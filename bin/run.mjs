// The starter: runs anything of this repository on the Node that package.json pins, installing it first if need be.
//
//   node bin/run.mjs cli/main.ts transfer 42     run a TypeScript entry (path from the repository root)
//   node bin/run.mjs bin:vitest run              run a tool of node_modules/.bin, in the repository root
//
// It depends on nothing but Node >= 20, because it runs before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled, pinnedNode, StarterError } from './install.mjs';

/**
 * For this process's children and theirs. Records live for about a batch: in V8's default young generation (16 MiB a half)
 * they outlive two collections and are copied twice; with this one `npm run bench -- copy` ran a tenth faster. It costs up to 192 MiB in each
 * thread that allocates fast. A setting of the user's own comes last and wins.
 */
const NODE_OPTIONS = ['--max-semi-space-size=64', process.env.NODE_OPTIONS].filter(Boolean).join(' ');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What to run, and where. Entries keep the caller's directory, so that file arguments mean what the caller meant. */
function target(name) {
  if (!name) throw new StarterError('Nothing to run. Usage: node bin/run.mjs <entry.ts | bin:tool> [arguments]');
  const tool = name.startsWith('bin:') ? name.slice(4) : null;
  const file = tool ? path.join(root, 'node_modules', '.bin', tool) : path.resolve(root, name);
  if (!existsSync(file)) throw new StarterError(`There is no ${path.relative(root, file)} to run.`);
  return { file: realpathSync(file), cwd: tool ? root : process.cwd() };
}

/** Runs the child with our own streams; passes signals to it, and ends as it ended. */
function follow(node, file, args, cwd) {
  const separator = path.delimiter;
  const child = spawn(
    node,
    ['--import', pathToFileURL(path.join(root, 'bin', 'follow-parent.mjs')).href, file, ...args],
    {
      stdio: 'inherit',
      cwd,
      env: {
        ...process.env,
        NODE_OPTIONS,
        // Reading and compiling the sources is half of what a start costs; Node keeps the result here, by content.
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? path.join(root, 'node_modules', '.cache', 'compiled'),
        CORRIDOR_STARTER_PID: String(process.pid),
        // What a person waits for starts here, installation included.
        CORRIDOR_COMMAND_STARTED_AT: String(Math.round(performance.timeOrigin)),
        PATH: [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH].join(separator),
      },
    },
  );
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A terminal has already sent Ctrl-C to the child as well; a second one would mean "at once, without draining".
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`Cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal that Node ignores by default would leave this process behind.
    setTimeout(() => process.exit(1), 1_000);
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

try {
  await ensureInstalled(root);
  const [name, ...args] = process.argv.slice(2);
  const { file, cwd } = target(name);
  follow(pinnedNode(root), file, args, cwd);
} catch (error) {
  if (!(error instanceof StarterError)) throw error;
  fail(error.message);
}
