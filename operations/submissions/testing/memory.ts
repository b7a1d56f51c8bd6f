// Submissions in memory, with the contract of the durable ones.
import type { Submission, Submissions } from '../ports.ts';

type Asked = <T>(answer: () => T) => Promise<T>;

/** `asked` may fail before the answer is made, or after. */
export function memorySubmissions(
  store: Map<string, Submission>,
  asked: Asked = async (answer) => answer(),
): Submissions {
  return {
    find: (ids) => asked(() => ids.flatMap((id) => store.get(id) ?? [])),
    claim: (submissions) =>
      asked(() =>
        submissions.map((submission) => {
          const standing = store.get(submission.transferId) ?? submission;
          store.set(submission.transferId, standing);
          return { standing, isNew: standing === submission };
        }),
      ),
    markPublished: (ids, publishedAt) =>
      asked(() => {
        for (const id of ids) {
          const found = store.get(id);
          if (found && found.publishedAt === undefined) store.set(id, { ...found, publishedAt });
        }
      }),
  };
}
