// ETags, and changes that hold only for what the caller has seen (If-Match).
import { CodedError } from '../../ports/fault.ts';

/** The strong ETag of a version of a resource. */
export const etagOf = (version: string | number): string => `"${version}"`;

const TAG = /^"[\x21\x23-\x7e]{0,200}"$/;

/** Whether a list such as `"a", W/"b"` (If-None-Match) names this ETag, by weak comparison; `*` names every one. */
export function namesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/**
 * Refuses a change of what the caller has not seen. Exactly one strong ETag is asked for: `*` has seen nothing.
 * @throws CodedError PRECONDITION_MISSING, PRECONDITION_FAILED
 */
export function checkIfMatch(header: string | undefined, etag: string): void {
  if (header === undefined || !TAG.test(header.trim()))
    throw new CodedError('PRECONDITION_MISSING', 'If-Match must hold the ETag of the resource as it was read');
  if (header.trim() !== etag) throw new CodedError('PRECONDITION_FAILED', 'the resource changed since it was read');
}

/**
 * A store in which one document is as its caller has seen it: found once it was read with this ETag, and no other. So whatever
 * a use-case decides, it decides on what the caller saw, and its compare-and-set holds against what comes after.
 * @param etagFor the ETag of a document
 */
export function asSeen<D, S extends { find(id: string): Promise<D | undefined> }>(
  store: S,
  header: string | undefined,
  etagFor: (found: D) => string,
): S {
  // A request without the field is refused before anything is looked for.
  if (header === undefined) checkIfMatch(header, '');
  let isFirst = true;
  const find = async (id: string): Promise<D | undefined> => {
    const found = await store.find(id);
    // What is read again after a race that was lost is told as it is.
    if (found !== undefined && isFirst) checkIfMatch(header, etagFor(found));
    isFirst = false;
    return found;
  };
  return { ...store, find };
}
