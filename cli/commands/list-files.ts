// Sanctions lists from files: which publisher's format a file has is told from its beginning.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  ListRefused,
  type ListVersion,
  type OfacFiles,
  parseEuAnnexes,
  parseEuConsolidated,
  parseOfac,
  parseUk,
  parseUn,
} from '../../processors/screening/lists/index.ts';

type Format = 'sdn' | 'alt' | 'add' | 'comments' | 'un' | 'eu' | 'eu-annex' | 'uk';

const HEAD_BYTES = 4096;

async function formatOf(path: string): Promise<Format> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer
      .subarray(0, bytesRead)
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, '')
      .trimStart();
    if (head.startsWith('<')) return 'un';
    if (head.startsWith('celex,')) return 'eu-annex';
    if (/Entity_LogicalId/i.test(head)) return 'eu';
    if (/^"?Report Date/i.test(head)) return 'uk';
    if (/^\d+,\d+,"[afn]ka"/.test(head)) return 'alt';
    if (/^\d+,\d+,/.test(head)) return 'add';
    return /^\d+,"(?:[^"]|"")*"\s*[\r\n]/.test(head) ? 'comments' : 'sdn';
  } finally {
    await file.close();
  }
}

/**
 * Reads lists from files. Files of OFAC that belong together (SDN, ALT, ADD, SDN_COMMENTS) become one version, so do the
 * extracts of EU annexes.
 * @throws ListRefused with the file named in its message
 */
export async function listsFromFiles(paths: readonly string[]): Promise<ListVersion[]> {
  const ofac: Partial<Record<keyof OfacFiles, string>> = {};
  const annexes: string[] = [];
  const versions: Promise<ListVersion>[] = [];
  for (const path of paths) {
    const format = await formatOf(path);
    if (format === 'un') versions.push(named(path, parseUn(createReadStream(path))));
    else if (format === 'uk') versions.push(named(path, parseUk(createReadStream(path))));
    else if (format === 'eu') versions.push(named(path, parseEuConsolidated(createReadStream(path))));
    else if (format === 'eu-annex') annexes.push(path);
    else if (ofac[format] === undefined) ofac[format] = path;
    else
      throw new ListRefused(
        'LIST_WRONG_FORMAT',
        `${path}: a second ${format.toUpperCase()} file beside ${ofac[format]}.`,
      );
  }
  if (annexes.length > 0)
    versions.push(named(annexes.join(', '), parseEuAnnexes(annexes.map((path) => createReadStream(path)))));
  const { sdn, ...more } = ofac;
  if (sdn !== undefined) {
    const extra = Object.entries(more).map(([role, path]) => [role, createReadStream(path)]);
    versions.unshift(named(sdn, parseOfac({ sdn: createReadStream(sdn), ...Object.fromEntries(extra) })));
  } else if (Object.keys(more).length > 0) {
    throw new ListRefused(
      'LIST_WRONG_FORMAT',
      `${Object.values(more).join(', ')}: aliases or addresses without their SDN file.`,
    );
  }
  return Promise.all(versions);
}

async function named(path: string, version: Promise<ListVersion>): Promise<ListVersion> {
  try {
    return await version;
  } catch (error) {
    if (!(error instanceof ListRefused)) throw error;
    throw new ListRefused(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
