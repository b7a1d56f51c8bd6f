// Preloaded into every program that another one of ours starts: when the starter is gone (kill -9, so no signal was passed
// on), what it started drains and ends as if it had been asked to, instead of running on unseen.
//
// The starter says who it is (CORRIDOR_STARTER_PID), because it may be gone before this line runs: whoever is our parent
// then is not it, and nothing has begun that would have to drain.
import { isMainThread } from 'node:worker_threads';

/** How long an orderly end may take after the starter is gone. */
const GRACE_MS = Number(new URL(import.meta.url).searchParams.get('graceMs') ?? 60_000);

if (isMainThread) {
  const starter = Number(process.env.CORRIDOR_STARTER_PID ?? process.ppid);
  // What we start in our turn has us as its starter.
  delete process.env.CORRIDOR_STARTER_PID;
  if (process.ppid !== starter) process.exit(1);
  const timer = setInterval(() => {
    if (process.ppid === starter) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
  }, 1_000);
  timer.unref();
}
