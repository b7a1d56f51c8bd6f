// Member: what analysts get as files. The processes of the back export, period after period, while they and everything around
// them die; both of them to the same folder. When all is over a command adds what is left.
//
// What must come of it: each row that its issuer sealed stands in the files of the manifest once, with its own id; there is no
// other, and no file that counts for nothing. How the judge knows: by the log, and by the files as a library of others reads them.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { EXPORTED } from '../../../operations/analytics/export.ts';
import { sealFlaw } from '../../../ports/seals.ts';
import type { Connections } from '../../../services/connections.ts';
import type { TopicName } from '../../../topics/catalogue.ts';

/** Where to, and how often, ms: a run of minutes sees some. */
export const exportSettings = (dir: string): NodeJS.ProcessEnv => ({
  CORRIDOR_ANALYTICS_EXPORT_TO: exportedTo(dir),
  CORRIDOR_ANALYTICS_EXPORT_EVERY_MS: '15000',
});
export const exportedTo = (dir: string): string => path.join(dir, 'exported');

/** Where a row stood, and its own id. */
export interface ExportedRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
}

/** What the files of a folder hold, and what is wrong with the files themselves. */
export interface ExportedFiles {
  readonly rows: readonly ExportedRow[];
  readonly wrong: readonly string[];
}

interface Misexported {
  readonly subject: string;
  readonly detail: string;
}

/** How many rows the manifests of a folder count. */
export const rowsIn = (folder: string): number =>
  [...filesOf(folder).values()].reduce((sum, { rows }) => sum + rows, 0);

/** @throws what the log throws */
export async function misexportedInLog(connections: Connections, folder: string): Promise<readonly Misexported[]> {
  return misexported(await sealedRows(connections), await exportedFiles(folder));
}

/** Pure. */
export function misexported(sealed: readonly ExportedRow[], { rows, wrong }: ExportedFiles): readonly Misexported[] {
  const found: Misexported[] = wrong.map((detail) => ({ subject: 'files', detail }));
  const placeOf = ({ topic, partition, offset }: ExportedRow) => `${topic}/${partition}@${offset}`;
  const left = new Map(sealed.map((row) => [placeOf(row), row.id]));
  const taken = new Set<string>();
  for (const row of rows) {
    const place = placeOf(row);
    const id = left.get(place);
    if (taken.has(place)) found.push({ subject: place, detail: 'the row is exported more than once' });
    else if (id === undefined) found.push({ subject: place, detail: 'the row is in no log, or nobody sealed it' });
    else if (id !== row.id) found.push({ subject: place, detail: `the row says ${row.id}, and the log ${id}` });
    taken.add(place);
    left.delete(place);
  }
  for (const place of left.keys()) found.push({ subject: place, detail: 'the row was never exported' });
  return found;
}

const uniqueOf = (topic: string): string => EXPORTED.find((grain) => grain.topic === topic)!.unique;

async function sealedRows({ log, codec, config }: Connections): Promise<readonly ExportedRow[]> {
  const topics = EXPORTED.map(({ topic }) => topic as TopicName);
  await codec.load(topics);
  const rows: ExportedRow[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets(topics), async ({ topic, partition, records }) => {
    const sealed = records.filter(
      (record) => record.unreadable === undefined && sealFlaw(config.keys, topic, record) === undefined,
    );
    const values = await codec.decode(
      topic as TopicName,
      sealed.map(({ value }) => value),
    );
    const unique = uniqueOf(topic);
    for (const [at, result] of values.entries()) {
      if (!result.ok) continue;
      const { [unique]: id } = result.value as unknown as Readonly<Record<string, string>>;
      rows.push({ topic, partition, offset: sealed[at]!.offset, id: id! });
    }
  });
  return rows;
}

/** The files that manifests name: how many rows they say, and of which topic. */
function filesOf(folder: string): ReadonlyMap<string, { readonly topic: string; readonly rows: number }> {
  const files = new Map<string, { readonly topic: string; readonly rows: number }>();
  for (const manifest of globSync('_manifests/*.ndjson', { cwd: folder })) {
    const [header, ...chunks] = readFileSync(path.join(folder, manifest), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
    const { topic } = header as { readonly topic: string };
    for (const { files: named } of chunks as { readonly files: readonly { name: string; rows: number }[] }[])
      for (const { name, rows } of named) files.set(name, { topic, rows });
  }
  return files;
}

/** As hyparquet reads them. */
export async function exportedFiles(folder: string): Promise<ExportedFiles> {
  const [rows, wrong]: [ExportedRow[], string[]] = [[], []];
  const files = filesOf(folder);
  for (const name of globSync('**/*.parquet', { cwd: folder }))
    if (!files.has(name)) wrong.push(`${name} is in no manifest`);
  for (const [name, { topic, rows: count }] of files) {
    const file = path.join(folder, name);
    if (!existsSync(file)) {
      wrong.push(`${name} is in a manifest, and is not there`);
      continue;
    }
    const unique = uniqueOf(topic);
    const columns = [unique, 'kafkaPartition', 'kafkaOffset'];
    const read = await parquetReadObjects({ file: await asyncBufferFromFile(file), columns });
    if (read.length !== count) wrong.push(`${name} has ${read.length} rows, and its manifest says ${count}`);
    for (const { [unique]: id, kafkaPartition, kafkaOffset } of read)
      rows.push({ topic, partition: Number(kafkaPartition), offset: Number(kafkaOffset), id: String(id) });
  }
  return { rows, wrong };
}
