// Where the stores say of which schema version they are, and who migrates them:
//   stores_schema  { _id: 'stores', version, oldestReader, applied, run }
import type { Db, Document } from 'mongodb';
import { z } from 'zod';
import type { MigrationFacts, MigrationRun, SchemaStore, StoresSchema } from '../../../operations/migrations/ports.ts';
import { UNSTATED, versionOf } from '../../../operations/migrations/standing.ts';
import { CodedError, isCoded } from '../../../ports/fault.ts';
import { insertFree } from '../claims.ts';
import { MAJORITY } from '../client.ts';
import { guarded } from '../fault.ts';

const STORES_SCHEMA = 'stores_schema';
const ID = 'stores';
/** How long a lock holds without a word of its owner; a page takes seconds. */
const LOCK_MS = 60_000;
/** Applied migrations that are kept in the document; older ones go. */
const MAX_APPLIED = 100;

const version = z.number().int().nonnegative();
const shape = z.object({
  version,
  oldestReader: version,
  applied: z.array(z.object({ version, name: z.string(), by: z.string(), at: z.date(), changed: z.number() })),
  run: z
    .object({ version, owner: z.string(), until: z.date(), after: z.string().nullable(), changed: z.number() })
    .nullable(),
});

export interface MongoSchemaStore extends SchemaStore {
  /** The same as `read`, and stores without any document are said to be of the newest version. */
  open(): Promise<StoresSchema | undefined>;
}

/** @param known the migrations of this code: empty stores are of the version of the last */
export function schemaStore(db: Db, known: readonly MigrationFacts[]): MongoSchemaStore {
  const collection = db.collection<Document & { _id: string }>(STORES_SCHEMA, MAJORITY);
  const now = async () => {
    const { localTime } = await guarded(() => db.admin().command({ hello: 1 }));
    return (localTime as Date).getTime();
  };
  const read = async () => {
    const found = await guarded(() => collection.findOne({ _id: ID }, { promoteLongs: true }));
    return found ? schemaOf(found) : undefined;
  };
  const state = (schema: StoresSchema) => insertFree(collection, [{ _id: ID, ...schema }]);
  /** By the owner of the lock alone. */
  const asOwner = async (owner: string, change: Document) =>
    (await guarded(() => collection.updateOne({ _id: ID, 'run.owner': owner }, change))).matchedCount === 1;

  return {
    read,
    now,
    async open() {
      const stated = await read();
      if (stated) return stated;
      // Another process that starts may have stated it between the two questions.
      if (await hasCollections(db)) return read();
      const oldestReader = Math.max(0, ...known.map((one) => one.oldestReader));
      const newest = { ...UNSTATED, version: versionOf(known), oldestReader };
      const isStated = await state(newest).then(
        () => true,
        // A user that may read alone: somebody else says it, or `corridor migrate apply` does.
        (error: unknown) => {
          if (isCoded(error) && error.code === 'MONGO_UNAUTHORISED') return false;
          throw error;
        },
      );
      return isStated ? read() : newest;
    },
    async begin(to, owner) {
      await state(UNSTATED);
      const at = await now();
      const isFree = [
        { run: null },
        { 'run.until': { $lte: new Date(at) } },
        // No lock of ours reaches so far: somebody else wrote it.
        { 'run.until': { $gt: new Date(at + 10 * LOCK_MS) } },
      ];
      const before = await guarded(() => collection.findOne({ _id: ID }));
      const earlier = before ? schemaOf(before).run : null;
      const from = earlier?.version === to ? earlier : { after: null, changed: 0 };
      const run = { version: to, owner, until: new Date(at + LOCK_MS), after: from.after, changed: from.changed };
      const filter = { _id: ID, version: { $gte: to - 1 }, $or: isFree };
      const { matchedCount } = await guarded(() => collection.updateOne(filter, { $set: { run } }));
      return matchedCount === 1 ? { after: from.after, changed: from.changed } : undefined;
    },
    async advance(owner, { after, changed }) {
      const until = new Date((await now()) + LOCK_MS);
      return asOwner(owner, { $set: { 'run.until': until, 'run.after': after, 'run.changed': changed } });
    },
    finish: (owner, { at, ...done }, oldestReader) =>
      asOwner(owner, {
        $max: { version: done.version, oldestReader },
        $push: { applied: { $each: [{ ...done, at: new Date(at) }], $slice: -MAX_APPLIED } },
        $set: { run: null },
      }),
    release: async (owner) => void (await asOwner(owner, { $set: { 'run.until': new Date(0) } })),
  };
}

async function hasCollections(db: Db): Promise<boolean> {
  const found = await guarded(() => db.listCollections({}, { nameOnly: true }).toArray());
  return found.some(({ name }) => !name.startsWith('system.'));
}

function schemaOf(document: Document): StoresSchema {
  const { success, data } = shape.safeParse(document);
  if (!success) {
    const message = `what the stores say of themselves (${STORES_SCHEMA}) cannot be read: it was changed in the database; restore it, or delete the document and run \`corridor migrate apply\``;
    throw new CodedError('STORES_SCHEMA_UNREADABLE', message, { faultClass: 'fatal', dependency: 'mongo' });
  }
  const run: MigrationRun | null = data.run && { ...data.run, until: data.run.until.getTime() };
  return { ...data, applied: data.applied.map((one) => ({ ...one, at: one.at.getTime() })), run };
}
