// An export in object storage: the manifest of a partition is one object, and each write of it names the one that it replaces.
//
// What could happen: two exports at once, or one that was thought dead and goes on. What stops them from writing a row twice, or
// from taking away what counts: whoever begins puts its own name in the manifest, so that what another was about to add is
// refused; files bear the name of who wrote them, so that nobody writes over, or takes away, a file of somebody later. What is
// taken away was listed before the manifest was taken over, and is not in it.
// What could happen: the answer to a write is lost, and it is sent again and refused. What is there is read, and it is ours or not.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ExportedChunk, ExportFolder, ExportHeader, ExportManifest } from '../../operations/analytics/ports.ts';
import { CodedError } from '../../ports/fault.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { chunkShape, headerShape, inOrder } from '../files/export-folder.ts';
import { tableBytes } from '../files/table-formats.ts';
import type { Condition, ObjectStore } from './object-store.ts';

const manifestShape = z.strictObject({
  ...headerShape.shape,
  /** Who writes: another one is another export. */
  owner: z.string().regex(/^[0-9a-f]{12}$/),
  chunks: z.array(chunkShape),
});
type Manifest = ExportHeader & { readonly owner: string; readonly chunks: readonly ExportedChunk[] };

interface Held {
  readonly manifest: Manifest;
  readonly etag: string;
  /** Objects that were there before the manifest was taken over, and are not in it. */
  readonly strays: readonly string[];
}

/** @param prefix of all keys: empty, or with a slash at its end */
export function exportBucket(store: ObjectStore, prefix: string): ExportFolder {
  const owner = randomBytes(6).toString('hex');
  const held = new Map<string, Held>();
  /** Listed before a manifest was found missing. */
  const listed = new Map<string, readonly string[]>();
  let isProved = false;
  const idOf = (topic: string, partition: number) => `${topic}-p${partition}`;
  const manifestKey = (topic: string, partition: number) => `${prefix}_manifests/${idOf(topic, partition)}.json`;

  return {
    async manifest(topic, partition): Promise<ExportManifest | undefined> {
      if (!isProved) await proveConditions(store, `${prefix}_manifests/conditional-writes.json`);
      isProved = true;
      const id = idOf(topic, partition);
      const key = manifestKey(topic, partition);
      const found = await store.get(key);
      const there = (await store.list(`${prefix}${topic}/`)).filter((name) => isOf(name, partition));
      if (found === undefined) {
        listed.set(id, there);
        return undefined;
      }
      const manifest = { ...read(found.bytes, key), owner };
      const named = new Set(manifest.chunks.flatMap(({ files }) => files.map(({ name }) => `${prefix}${name}`)));
      const etag = await written(store, key, manifest, { etag: found.etag });
      held.set(id, { manifest, etag, strays: there.filter((name) => !named.has(name)) });
      const { chunks, owner: _, ...header } = manifest;
      return { header, chunks };
    },

    async begin(header) {
      const id = idOf(header.topic, header.partition);
      const manifest: Manifest = { ...header, owner, chunks: [] };
      const key = manifestKey(header.topic, header.partition);
      const etag = await written(store, key, manifest, { absent: true });
      held.set(id, { manifest, etag, strays: listed.get(id) ?? [] });
    },

    async add(header, chunk) {
      const id = idOf(header.topic, header.partition);
      const { manifest, etag } = held.get(id)!;
      const longer = { ...manifest, chunks: [...manifest.chunks, chunk] };
      const key = manifestKey(header.topic, header.partition);
      held.set(id, { manifest: longer, etag: await written(store, key, longer, { etag }), strays: [] });
    },

    async write({ format }, name, columns, table) {
      const stored = `${name.slice(0, name.lastIndexOf('.'))}-${owner}.${format}`;
      await store.put(`${prefix}${stored}`, tableBytes(format, columns, table));
      return stored;
    },

    async removeFrom({ topic, partition }) {
      const { strays } = held.get(idOf(topic, partition))!;
      if (strays.length > 0) await store.remove(strays);
    },
  };
}

/** Writes a manifest, and knows its own. @throws CodedError EXPORT_BUSY when somebody else has */
async function written(store: ObjectStore, key: string, manifest: Manifest, condition: Condition): Promise<string> {
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const etag = await store.put(key, bytes, condition);
  if (etag !== undefined) return etag;
  const there = await store.get(key);
  if (there?.bytes.equals(bytes)) return there.etag;
  throw new CodedError('EXPORT_BUSY', `another export has taken over ${key}`);
}

/** A store that takes every write would let two exports write over each other unseen. @throws CodedError EXPORT_NOT_WRITTEN */
async function proveConditions(store: ObjectStore, key: string): Promise<void> {
  const bytes = Buffer.from('{}\n');
  await store.put(key, bytes);
  const stale = await store.put(key, bytes, { etag: '"00000000000000000000000000000000"' });
  const second = await store.put(key, bytes, { absent: true });
  if (stale !== undefined || second !== undefined)
    throw new CodedError('EXPORT_NOT_WRITTEN', 'the store has no conditional writes: it takes what it should refuse');
}

const isOf = (key: string, partition: number): boolean => {
  const [, of] = /\/p(\d+)-\d+-[0-9a-f]{12}\.[a-z]+$/.exec(key) ?? [];
  return of !== undefined && Number(of) === partition;
};

function read(bytes: Buffer, key: string): Manifest {
  try {
    const manifest = manifestShape.parse(JSON.parse(bytes.toString('utf8')));
    return { ...manifest, topic: manifest.topic as TopicName, chunks: inOrder(manifest.chunks) };
  } catch {
    throw new CodedError('EXPORT_OF_ANOTHER', `${key} is no manifest that this release wrote`);
  }
}
