// Object storage in memory, with conditions as S3 has them. Each request can be stopped before it, or its answer lost.
import { createHash } from 'node:crypto';
import type { ObjectStore } from '../object-store.ts';

export class MemoryStore {
  readonly objects = new Map<string, Buffer>();

  /** @param around what happens to a request: it runs it, or does not, or throws after it */
  asStore(around: <R>(work: () => Promise<R>) => Promise<R> = (work) => work()): ObjectStore {
    const { objects } = this;
    return {
      get: (key) =>
        around(async () => {
          const bytes = objects.get(key);
          return bytes && { bytes, etag: etagOf(bytes) };
        }),
      put: (key, bytes, condition) =>
        around(async () => {
          const there = objects.get(key);
          if (condition && 'absent' in condition && there !== undefined) return undefined;
          if (condition && 'etag' in condition && (!there || etagOf(there) !== condition.etag)) return undefined;
          objects.set(key, bytes);
          return etagOf(bytes);
        }),
      list: (prefix) => around(async () => [...objects.keys()].filter((key) => key.startsWith(prefix))),
      remove: (keys) =>
        around(async () => {
          for (const key of keys) objects.delete(key);
        }),
    };
  }
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;
