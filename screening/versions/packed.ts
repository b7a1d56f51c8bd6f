// Entities of a list version as compressed chunks of NDJSON: small enough for any store, opened where they are needed.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CodedError } from '../../ports/fault.ts';
import { entitiesHashOf, type ListEntity } from '../lists/index.ts';

/** Entities in one chunk: about a megabyte before compression. */
const CHUNK_ENTITIES = 1_000;

export interface PackedChunk {
  readonly entities: number;
  /** zstd of one JSON document per line. */
  readonly data: Uint8Array;
}

/** Chunks in the order of the ids: the same entities give the same chunks, whatever their order in the file. */
export function* packEntities(entities: readonly ListEntity[]): Generator<PackedChunk> {
  const sorted = entities.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (let from = 0; from < sorted.length; from += CHUNK_ENTITIES) {
    const some = sorted.slice(from, from + CHUNK_ENTITIES);
    const text = some.map((entity) => JSON.stringify(entity)).join('\n');
    yield { entities: some.length, data: zstdCompressSync(Buffer.from(text, 'utf8')) };
  }
}

/**
 * The entities of all chunks of a version.
 * @throws CodedError LIST_VERSION_DAMAGED when they are not those that `entitiesHash` was taken of
 */
export function unpackEntities(chunks: readonly Uint8Array[], entitiesHash: string): readonly ListEntity[] {
  const entities = chunks.flatMap((chunk) =>
    zstdDecompressSync(chunk)
      .toString('utf8')
      .split('\n')
      .map((line) => JSON.parse(line) as ListEntity),
  );
  if (entitiesHashOf(entities) === entitiesHash) return entities;
  throw new CodedError('LIST_VERSION_DAMAGED', 'a stored list version is not what was imported: import it again', {
    faultClass: 'fatal',
  });
}
