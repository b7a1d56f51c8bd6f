// Transfers that were submitted over HTTP: transfer_submissions { _id: transferId, producer, hash, requestedAt, submittedAt,
// publishedAt }.
import type { Db } from 'mongodb';
import type { Submission, Submissions } from '../../operations/submissions/ports.ts';
import { CodedError } from '../../ports/fault.ts';
import { type ClaimDocument, findByIds, insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { STAMP } from './schema-version.ts';

export const SUBMISSIONS = 'transfer_submissions';

/** Kept for ever, as the claims of intake are. */
interface SubmissionDocument extends ClaimDocument {
  readonly producer: string;
  readonly hash: string;
  readonly requestedAt: Date;
  readonly submittedAt: Date;
  readonly publishedAt: Date | null;
}

export function submissions(db: Db): Submissions {
  const collection = db.collection<ClaimDocument>(SUBMISSIONS, MAJORITY);
  const find = async (transferIds: readonly string[]): Promise<readonly Submission[]> =>
    (await findByIds<SubmissionDocument>(collection, transferIds)).map(fromDocument);
  return {
    find,
    async claim(wanted) {
      const taken = await insertFree(collection, wanted.map(toDocument));
      const standing = new Map((await find([...taken])).map((submission) => [submission.transferId, submission]));
      return wanted.map((submission) => {
        if (!taken.has(submission.transferId)) return { standing: submission, isNew: true };
        const stands = standing.get(submission.transferId);
        if (stands) return { standing: stands, isNew: false };
        // Taken, yet not to be read: an election is rolling it back, or it is not visible to a majority yet.
        throw new CodedError('MONGO_UNAVAILABLE', 'a submission is taken but cannot be read yet', {
          dependency: 'mongo',
        });
      });
    },
    async markPublished(transferIds, publishedAt) {
      if (transferIds.length === 0) return;
      const unmarked = { _id: { $in: [...transferIds] }, publishedAt: null };
      await guarded(() => collection.updateMany(unmarked, { $set: { publishedAt: new Date(publishedAt) } }));
    },
  };
}

function toDocument({ transferId, requestedAt, submittedAt, publishedAt, ...rest }: Submission): SubmissionDocument {
  return {
    _id: transferId,
    ...rest,
    requestedAt: new Date(requestedAt),
    submittedAt: new Date(submittedAt),
    publishedAt: publishedAt === undefined ? null : new Date(publishedAt),
    ...STAMP,
  };
}

const fromDocument = ({ _id, publishedAt, ...document }: SubmissionDocument): Submission => ({
  transferId: _id,
  producer: document.producer,
  hash: document.hash,
  requestedAt: document.requestedAt.getTime(),
  submittedAt: document.submittedAt.getTime(),
  publishedAt: publishedAt?.getTime(),
});
