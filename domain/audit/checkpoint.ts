// Checkpoints of the audit log (C2SP tlog-checkpoint): origin, number of entries, root hash. Pure.
import { HASH_BYTES } from './merkle.ts';

export interface Checkpoint {
  /** Which log: the name of its keys. */
  readonly origin: string;
  /** Entries in it. */
  readonly size: number;
  readonly root: Buffer;
}

const SIZE = /^(0|[1-9][0-9]{0,15})$/;

/** Its text, as it is signed. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${root.toString('base64')}\n`;

/** @returns undefined for what is no checkpoint. Lines that follow the three are extensions, which nobody here writes. */
export function checkpointIn(text: string): Checkpoint | undefined {
  const [origin, size, encoded, ...rest] = text.split('\n');
  if (!origin || size === undefined || encoded === undefined || rest.at(-1) !== '') return undefined;
  const root = Buffer.from(encoded, 'base64');
  if (!SIZE.test(size) || root.length !== HASH_BYTES || root.toString('base64') !== encoded) return undefined;
  const count = Number(size);
  return Number.isSafeInteger(count) ? { origin, size: count, root } : undefined;
}
