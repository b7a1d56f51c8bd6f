// The schema version that every document carries. It is not under any seal: it says which code wrote a document, so that a
// migration finds what is older, and nothing is decided on it.

/** Of the documents that this code writes; that of the last migration. Documents without one are of release 0.1.0. */
export const SCHEMA_VERSION = 2;

/** What is added to each document. */
export const STAMP = { schemaVersion: SCHEMA_VERSION } as const;

/** The document with the schema version of this code. */
export const stamped = <D extends object>(document: D): D & typeof STAMP => ({ ...document, ...STAMP });

/** The document as its reader knows it. */
export function unstamped<D extends object>(document: D): Omit<D, 'schemaVersion'> {
  const { schemaVersion: _, ...rest } = document as D & { readonly schemaVersion?: unknown };
  return rest;
}
