// Preloaded by bin/run.mjs: when the starter is killed outright (kill -9, so no signal was passed on), what it started
// drains and ends as if it had been asked to, instead of running on unseen.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 1_000);
  timer.unref();
}
