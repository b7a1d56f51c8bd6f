// An export on a disk: files that appear as a whole, and a manifest that only grows.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ExportedChunk, ExportFolder, ExportHeader, ExportManifest } from '../../operations/analytics/ports.ts';
import { EXPORT_FORMATS } from '../../operations/analytics/ports.ts';
import { CodedError } from '../../ports/fault.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { tableBytes } from './table-formats.ts';

export const headerShape = z.strictObject({
  form: z.literal(1),
  topic: z.string().max(249),
  topicId: z.string().max(249),
  partition: z.int().min(0),
  format: z.enum(EXPORT_FORMATS),
});
const offset = z.int().min(0);
export const chunkShape = z.strictObject({
  from: offset,
  to: offset,
  files: z.array(z.strictObject({ name: z.string().max(500), rows: z.int().min(1) })),
  unproven: z.int().min(0).nullable(),
  unreadable: z.int().min(0),
});

export function exportFolder(root: string): ExportFolder {
  const manifestFile = (topic: string, partition: number) =>
    path.join(root, '_manifests', `${topic}-p${partition}.ndjson`);

  return {
    manifest: (topic, partition) => writing(() => readManifest(manifestFile(topic, partition))),
    begin: (header) =>
      writing(async () => {
        const file = manifestFile(header.topic, header.partition);
        await writeWhole(file, Buffer.from(`${JSON.stringify(header)}\n`));
      }),
    add: (header, chunk) =>
      writing(() => appendLine(manifestFile(header.topic, header.partition), JSON.stringify(chunk))),
    write: ({ format }, name, columns, table) =>
      writing(async () => {
        await writeWhole(path.join(root, name), tableBytes(format, columns, table));
        return name;
      }),
    removeFrom: (header, from) => writing(() => removeFrom(root, header, from)),
  };
}

/** @throws when chunks overlap or go back */
export function inOrder(chunks: readonly ExportedChunk[]): readonly ExportedChunk[] {
  for (const [at, chunk] of chunks.entries()) {
    if (chunk.to < chunk.from || (at > 0 && chunk.from < chunks[at - 1]!.to)) throw new Error('out of order');
  }
  return chunks;
}

/** Reads it; a last line without its end was never finished, and is cut off for good. */
async function readManifest(file: string): Promise<ExportManifest | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(file, Buffer.byteLength(whole));
  const [first, ...rest] = whole.split('\n').slice(0, -1);
  try {
    const header = headerShape.parse(JSON.parse(first!)) as ExportHeader & { readonly topic: TopicName };
    const chunks = rest.map((line): ExportedChunk => chunkShape.parse(JSON.parse(line)));
    return { header, chunks: inOrder(chunks) };
  } catch {
    throw new CodedError('EXPORT_OF_ANOTHER', `${file} is no manifest that this release wrote`);
  }
}

/** Beside it first, then in its place: a reader sees all of it or nothing, after a power cut too. */
async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  const draft = path.join(folder, `.${path.basename(file)}.${randomUUID()}.draft`);
  const handle = await open(draft, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  await syncFolder(folder);
}

async function appendLine(file: string, line: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND);
  try {
    await handle.writeFile(`${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What was renamed is there after a power cut once its folder is written. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeFrom(root: string, { topic, partition, format }: ExportHeader, from: number): Promise<void> {
  const folder = path.join(root, topic);
  const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const base = path.basename(name);
    const [, of, chunkFrom, rest] = /^\.?p(\d+)-(\d+)\.([a-z]+)/.exec(base) ?? [];
    if (of === undefined || Number(of) !== partition || rest !== format) continue;
    // A draft was never finished, whichever chunk it is of.
    if (base.startsWith('.') || Number(chunkFrom) >= from) await rm(path.join(folder, name), { force: true });
  }
}

async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new CodedError('EXPORT_NOT_WRITTEN', `the folder of the export cannot be used: ${code}`);
  }
}
