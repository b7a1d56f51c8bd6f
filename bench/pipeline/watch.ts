// When each transfer is seen on a topic, by a reader of committed records.
import type { Stand } from './installation.ts';

export interface Seen {
  /** When each key was first seen, ms of `performance.now()`. */
  readonly at: ReadonlyMap<string, number>;
  /** Records in all, for a topic on which every transfer stands once. */
  readonly records: number;
}

export interface Watching {
  seen(topic: string): Seen;
  /** Resolves when so many transfers are on the topic; rejects when nothing has come for `quietMs`. */
  reaches(topic: string, count: number, quietMs: number): Promise<void>;
  stop(): Promise<void>;
}

const LOOK_MS = 100;

/** Follows topics from their ends on. */
export async function watch(stand: Stand, topics: readonly string[]): Promise<Watching> {
  const seen = new Map(topics.map((topic) => [topic, { at: new Map<string, number>(), records: 0 }]));
  let movedAt = performance.now();
  const following = stand.connections.log.reader().follow(
    topics,
    ({ topic, records }) => {
      movedAt = performance.now();
      const of = seen.get(topic)!;
      of.records += records.length;
      for (const { key } of records) {
        const id = key!.toString('latin1');
        if (!of.at.has(id)) of.at.set(id, movedAt);
      }
    },
    { fromEnd: true },
  );
  await following.caughtUp;
  return {
    seen: (topic) => seen.get(topic)!,
    async reaches(topic, count, quietMs) {
      movedAt = performance.now();
      while (seen.get(topic)!.at.size < count) {
        if (performance.now() - movedAt > quietMs) {
          throw new Error(`${topic}: ${seen.get(topic)!.at.size} of ${count}, and nothing for ${quietMs} ms`);
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    stop: () => following.stop(),
  };
}
