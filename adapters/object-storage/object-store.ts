// What an export needs of object storage: whole objects, and writes that are refused when somebody else was first.

export interface StoredObject {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Under which a write counts: there is no such object, or it is still this one. */
export type Condition = { readonly absent: true } | { readonly etag: string };

/** All methods throw CodedError EXPORT_NOT_WRITTEN when the store cannot be used. */
export interface ObjectStore {
  /** undefined: there is none. */
  get(key: string): Promise<StoredObject | undefined>;
  /** @returns the tag of what is stored; undefined: the condition does not hold, or somebody writes at this moment */
  put(key: string, bytes: Buffer, condition?: Condition): Promise<string | undefined>;
  /** Keys that begin with the prefix, in any order. */
  list(prefix: string): Promise<readonly string[]>;
  /** Takes objects away; one that is not there is no fault. */
  remove(keys: readonly string[]): Promise<void>;
}
