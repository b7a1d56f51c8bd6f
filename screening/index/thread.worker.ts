// The thread of one index: builds it from what it was started with, then answers questions in order.
import { parentPort, workerData } from 'node:worker_threads';
import { BuiltIndex, type IndexPlan, type IndexQuery } from './built-index.ts';

const port = parentPort!;
const index = new BuiltIndex(workerData as IndexPlan);
port.postMessage({ ready: true });
port.on('message', ({ id, queries }: { id: number; queries: readonly IndexQuery[] }) => {
  try {
    port.postMessage({ id, parties: index.screen(queries) });
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? error.name : 'error' });
  }
});
