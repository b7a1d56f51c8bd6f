// Reads the batch on its standard input, in a process of its own, and says what became of it and how large the process grew.
import { buffer } from 'node:stream/consumers';
import { decodeBatches } from '../kafkajs/fetch-response.ts';

/** What it prints, as JSON. */
export interface BatchRead {
  readonly records: number;
  readonly code: string | undefined;
  /** The largest that the process was, beyond what it was before it read the batch, in bytes. */
  readonly grownBytes: number;
}

const batch = await buffer(process.stdin);
const before = process.memoryUsage.rss();
const read = await decodeBatches(batch);
const most = process.resourceUsage().maxRSS * 1_024;
const said: BatchRead = {
  records: read.length,
  code: read[0]?.unreadable?.code,
  grownBytes: Math.max(0, most - before),
};
console.log(JSON.stringify(said));
