// Makes a database look as if it had been in use for long: the documents of transfers that went through, again and again
// under other ids. Written to the database directly, since a million transfers through the pipeline would take an hour.
import { createHash } from 'node:crypto';
import { type AnyBulkWriteOperation, BSON, type Collection, type Db, type Document } from 'mongodb';

/** Every collection that holds a document for each transfer, by the field that names the transfer. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  transfers: '_id',
  events: 'transferId',
  payouts: '_id',
  intent_claims: '_id',
  settlement_claims: '_id',
};
const TRANSFERS_AT_ONCE = 500;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * Stores documents until `wanted` transfers are stored, modelled on one transfer that is.
 * @throws Error when no transfer has been completed yet
 */
export async function storeMore(db: Db, wanted: number, say: (line: string) => void): Promise<void> {
  const model = await db.collection('transfers').findOne({ state: 'COMPLETED' });
  if (model === null) throw new Error('there is no completed transfer to make others from');
  const models = await Promise.all(
    Object.entries(COLLECTIONS).map(async ([name, field]) => {
      const documents = await db
        .collection(name)
        .find({ [field]: model._id as never })
        .toArray();
      if (documents.length === 0) throw new Error(`${name} holds nothing of transfer ${String(model._id)}`);
      return { collection: db.collection(name), texts: documents.map(textOf) };
    }),
  );
  const began = performance.now();
  let stored = await db.collection('transfers').estimatedDocumentCount();
  for (let reportedAt = 0; stored < wanted; ) {
    const count = Math.min(TRANSFERS_AT_ONCE, wanted - stored);
    await Promise.all(models.map(({ collection, texts }) => insert(collection, texts, stored, count)));
    stored += count;
    if (performance.now() - reportedAt < 10_000) continue;
    reportedAt = performance.now();
    const seconds = (reportedAt - began) / 1_000;
    say(`${stored} of ${wanted} transfers are stored (${seconds.toFixed(0)} s)`);
  }
}

/** A document as text, in which ids can be found and replaced; nothing of its types is lost. */
const textOf = (document: Document): string => BSON.EJSON.stringify(document, { relaxed: false });

async function insert(collection: Collection, texts: readonly string[], from: number, count: number): Promise<void> {
  const operations: AnyBulkWriteOperation[] = [];
  for (let copy = from; copy < from + count; copy++) {
    const others = new Map<string, string>();
    const other = (id: string): string => {
      const known = others.get(id) ?? otherId(id, copy);
      others.set(id, known);
      return known;
    };
    for (const text of texts) {
      const document = BSON.EJSON.parse(text.replace(UUID, other), { relaxed: false }) as Document;
      operations.push({ insertOne: { document } });
    }
  }
  await collection.bulkWrite(operations, { ordered: false, forceServerObjectId: true });
}

/** The id of a copy: the same for the same id in every document, and as scattered as ids are. */
function otherId(id: string, copy: number): string {
  const hex = createHash('md5').update(`${copy}/${id}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
