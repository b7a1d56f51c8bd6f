// The files of `corridor audit export`.
import { once } from 'node:events';
import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ExportSources, exportAudit } from '../../operations/audit/export.ts';
import { toJsonLine } from '../output.ts';

/** Writes them into a folder, which is made. @returns the newest checkpoint, if there is one */
export async function exportTo(folder: string, sources: ExportSources): ReturnType<typeof exportAudit> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'key.txt'), sources.keys.map(({ text }) => `${text}\n`).join(''));
  const open = (name: string) => createWriteStream(path.join(folder, name));
  const [entries, checkpoints, proofs] = [open('entries.ndjson'), open('checkpoints.ndjson'), open('proofs.ndjson')];
  try {
    return await exportAudit(sources, {
      entry: (line) => write(entries, line),
      checkpoint: (line) => write(checkpoints, line),
      proof: (line) => write(proofs, line),
    });
  } finally {
    await Promise.all([entries, checkpoints, proofs].map(ended));
  }
}

async function write(file: WriteStream, line: object): Promise<void> {
  if (!file.write(`${toJsonLine(line)}\n`)) await once(file, 'drain');
}

async function ended(file: WriteStream): Promise<void> {
  file.end();
  await once(file, 'close');
}
