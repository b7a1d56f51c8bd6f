// How far a command has come.
import { Presets, SingleBar } from 'cli-progress';

/** A bar on standard error; plain lines where that is not a terminal. */
export function progressBar(total: number): SingleBar {
  const bar = new SingleBar(
    { stream: process.stderr, clearOnComplete: true, noTTYOutput: true, notTTYSchedule: 5_000 },
    Presets.legacy,
  );
  bar.start(total, 0);
  return bar;
}
