// Changes to the pinned kafkajs. Each is a small file of its own with a test, and can be left out.
import { CodedError } from '../../../ports/fault.ts';
import { install as brokerConnect } from './broker-connect.ts';
import { install as connectTimeout } from './connect-timeout.ts';
import { install as crc32c } from './crc32c.ts';
import { install as fetchResponse } from './fetch-response.ts';
import { install as framing } from './framing.ts';
import { install as produceRequest } from './produce-request.ts';
import { install as requestQueue } from './request-queue.ts';
import { install as zstd } from './zstd.ts';

const PATCHES = {
  'broker-connect': brokerConnect,
  'connect-timeout': connectTimeout,
  'request-queue': requestQueue,
  zstd,
  crc32c,
  'produce-request': produceRequest,
  framing,
  'fetch-response': fetchResponse,
} as const;

export type PatchName = keyof typeof PATCHES;
export const PATCH_NAMES = Object.keys(PATCHES) as PatchName[];

const installed = new Map<PatchName, () => void>();

/**
 * Applies the named patches and takes back all others: by default all of them, or the comma list in
 * CORRIDOR_KAFKAJS_PATCHES (`none` for none). They hold for the whole process.
 */
export function applyPatches(names: readonly PatchName[] = namesFrom(process.env['CORRIDOR_KAFKAJS_PATCHES'])): void {
  for (const name of PATCH_NAMES) {
    const wanted = names.includes(name);
    if (wanted && !installed.has(name)) installed.set(name, PATCHES[name]());
    if (wanted) continue;
    installed.get(name)?.();
    installed.delete(name);
  }
}

function namesFrom(list: string | undefined): readonly PatchName[] {
  if (list === undefined || list === '') return PATCH_NAMES;
  if (list === 'none') return [];
  return list.split(',').map((name) => {
    const known = PATCH_NAMES.find((candidate) => candidate === name.trim());
    if (known !== undefined) return known;
    throw new CodedError(
      'KAFKAJS_PATCHES',
      `CORRIDOR_KAFKAJS_PATCHES names "${name}"; known are ${PATCH_NAMES.join(', ')}, or none.`,
      { faultClass: 'fatal', dependency: 'kafka' },
    );
  });
}
