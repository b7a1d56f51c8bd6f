// Opens an index in a thread of its own, so that neither building nor searching holds up the event loop.
import { Worker } from 'node:worker_threads';
import { CodedError } from '../../ports/fault.ts';
import type { ScreenedParty } from '../../schemas/types.generated.ts';
import type { OpenIndex } from '../ports.ts';
import type { IndexPlan, IndexQuery } from './built-index.ts';

type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly parties: readonly ScreenedParty[] }
  | { readonly id: number; readonly error: string };

interface Waiting {
  resolve(parties: readonly ScreenedParty[]): void;
  reject(error: Error): void;
}

/** @throws CodedError INDEX_THREAD_ENDED, or what building threw */
export async function openIndexThread(plan: IndexPlan): Promise<OpenIndex> {
  const worker = new Worker(new URL('./thread.worker.ts', import.meta.url), { workerData: plan, execArgv: [] });
  worker.unref();
  const waiting = new Map<number, Waiting>();
  const ready = Promise.withResolvers<void>();
  let next = 0;
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    ready.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('error', (error) => end(threadEnded(error)));
  worker.on('exit', () => end(threadEnded(undefined)));
  worker.on('message', (answer: Answer) => {
    if ('ready' in answer) {
      ready.resolve();
      return;
    }
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('parties' in answer) asked?.resolve(answer.parties);
    // The message of the error may quote the party: only its kind is told.
    else asked?.reject(new CodedError('SCREENING_FAILED', `the engine failed with a ${answer.error}`));
  });
  await ready.promise;
  const ask = (queries: readonly IndexQuery[]) =>
    new Promise<readonly ScreenedParty[]>((resolve, reject) => {
      if (ended) {
        reject(ended);
        return;
      }
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, queries });
    });
  return {
    screen: (queries) => (queries.length === 0 ? Promise.resolve([]) : ask(queries)),
    async close() {
      await Promise.allSettled([...waiting.values()].length > 0 ? [ask([])] : []);
      await worker.terminate();
    },
  };
}

function threadEnded(cause: unknown): CodedError {
  const detail = cause instanceof Error ? `: ${cause.name}` : '';
  return new CodedError('INDEX_THREAD_ENDED', `the thread of the screening index ended${detail}`, {
    faultClass: 'transient-dependency',
    dependency: 'screening-index',
    cause,
  });
}
