// Claims in MongoDB: documents that are inserted once and tell who was first. The common case, all of a batch new, is one
// round trip.
import { type Collection, type Document, MongoBulkWriteError } from 'mongodb';
import { CodedError, isOf } from '../../ports/fault.ts';
import { guarded, mongoFault } from './fault.ts';

export type ClaimDocument = Document & { readonly _id: string };

const DUPLICATE_KEY = 11_000;

/** Inserts documents whose `_id` is free. @returns the ids that were taken. @throws CodedError */
export async function insertFree<D extends ClaimDocument>(
  collection: Collection<ClaimDocument>,
  documents: readonly D[],
): Promise<ReadonlySet<string>> {
  if (documents.length === 0) return new Set();
  try {
    await collection.insertMany([...documents], { ordered: false });
    return new Set();
  } catch (error) {
    const taken = takenPlaces(error);
    if (taken === undefined) throw mongoFault(error);
    return new Set(taken.map((place) => documents[place]!._id));
  }
}

/**
 * Places of a bulk whose only fault is a taken `_id`; undefined when anything else went wrong, such as a write that a
 * majority did not acknowledge (the driver shows the duplicates in front of it). For collections without another unique
 * index.
 */
export function takenPlaces(error: unknown): readonly number[] | undefined {
  if (!isOf(error, MongoBulkWriteError)) return undefined;
  if (error.result.getWriteConcernError() !== undefined) return undefined;
  const faults = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  if (faults.length === 0 || faults.some(({ code }) => code !== DUPLICATE_KEY)) return undefined;
  return faults.map(({ index }) => index);
}

/** The documents with these ids; ids without one are left out. @throws CodedError */
export async function findByIds<D extends ClaimDocument>(
  collection: Collection<ClaimDocument>,
  ids: readonly string[],
): Promise<readonly D[]> {
  if (ids.length === 0) return [];
  const filter = { _id: { $in: [...ids] } };
  return guarded(() => collection.find<D>(filter).toArray());
}

/**
 * Inserts what is free and answers with the document that stands for each given one, in order.
 * @param between called between the insert and the read of what was taken
 * @throws CodedError MONGO_UNAVAILABLE, also when a taken claim could not be read back
 */
export async function claimAll<D extends ClaimDocument>(
  collection: Collection<ClaimDocument>,
  documents: readonly D[],
  between?: () => void | Promise<void>,
): Promise<readonly D[]> {
  const taken = await insertFree(collection, documents);
  await between?.();
  if (taken.size === 0) return documents;
  const standing = new Map((await findByIds<D>(collection, [...taken])).map((document) => [document._id, document]));
  return documents.map((document) => {
    if (!taken.has(document._id)) return document;
    const stands = standing.get(document._id);
    if (stands !== undefined) return stands;
    // Taken, yet not to be read: an election is rolling it back, or it is not visible to a majority yet.
    throw new CodedError('MONGO_UNAVAILABLE', 'a claim is taken but cannot be read yet', {
      faultClass: 'transient-dependency',
      dependency: 'mongo',
    });
  });
}
