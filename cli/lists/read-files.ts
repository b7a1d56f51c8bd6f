// Reads list files of any format that is known, as streams. The format can be named, or told from how the files begin.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../../ports/fault.ts';
import {
  ListRefused,
  type ListVersion,
  type OfacFiles,
  parseEuAnnexes,
  parseEuConsolidated,
  parseOfac,
  parseUk,
  parseUn,
} from '../../screening/lists/index.ts';

export const LIST_FORMATS = ['ofac', 'un', 'eu', 'eu-annexes', 'uk'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export interface ReadOptions {
  /** Source to file the list under, where the format does not say it by itself (OFAC's format). */
  readonly source?: string;
  /** ISO date, where the files do not state it. */
  readonly published?: string;
}

const isFormat = (format: string): format is ListFormat => (LIST_FORMATS as readonly string[]).includes(format);
const HEAD_BYTES = 4096;

/**
 * A list version from its files.
 * @throws CodedError FILE_UNREADABLE, FORMAT_UNKNOWN, FILES_UNCLEAR, and the codes of `ListRefused` with the files named
 */
export async function readListFiles(
  format: string,
  files: readonly string[],
  options: ReadOptions = {},
): Promise<ListVersion> {
  if (!isFormat(format)) {
    throw new CodedError('FORMAT_UNKNOWN', `there is no format "${format}"; there are: ${LIST_FORMATS.join(', ')}`);
  }
  const heads = await Promise.all(files.map(headOf));
  try {
    return await parsed(format, files, heads, options);
  } catch (error) {
    if (!(error instanceof ListRefused)) throw error;
    throw new CodedError(error.code, `refused: ${files.join(', ')}: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * List versions from files of mixed formats: files of OFAC that belong together become one version, so do the extracts
 * of EU annexes; of every other format each file is one.
 * @throws CodedError as `readListFiles`
 */
export async function readMixedFiles(files: readonly string[]): Promise<readonly ListVersion[]> {
  const heads = await Promise.all(files.map(headOf));
  const formats = files.map((file, i) => ({ file, format: formatOf(heads[i]!) }));
  const groups = Map.groupBy(formats, ({ format, file }) =>
    format === 'ofac' || format === 'eu-annexes' ? format : `${format} ${file}`,
  );
  return Promise.all(
    [...groups.values()].map((group) =>
      readListFiles(
        group[0]!.format,
        group.map(({ file }) => file),
      ),
    ),
  );
}

/** The beginning of a file as text, without a byte order mark. */
async function headOf(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer
      .subarray(0, bytesRead)
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, '')
      .trimStart();
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new CodedError('FILE_UNREADABLE', `${file} cannot be read (${code}): check the path`);
  }
}

function formatOf(head: string): ListFormat {
  if (head.startsWith('<')) return 'un';
  if (head.startsWith('celex,')) return 'eu-annexes';
  if (/Entity_LogicalId/i.test(head)) return 'eu';
  return /^"?Report Date/i.test(head) ? 'uk' : 'ofac';
}

function parsed(
  format: ListFormat,
  files: readonly string[],
  heads: readonly string[],
  { source, published }: ReadOptions,
): Promise<ListVersion> {
  const stream = (file: string) => createReadStream(file, { highWaterMark: 1 << 18 });
  const single = () => stream(only(format, files));
  switch (format) {
    case 'ofac': {
      const opened = Object.entries(ofacFiles(files, heads)).map(([role, file]) => [role, stream(file)]);
      return parseOfac(Object.fromEntries(opened) as unknown as OfacFiles, {
        ...(source === undefined ? {} : { source }),
        ...(published === undefined ? {} : { publicationDate: published }),
      });
    }
    case 'un':
      return dated(parseUn(single()), published);
    case 'eu':
      return dated(parseEuConsolidated(single()), published);
    case 'eu-annexes':
      return parseEuAnnexes(files.toSorted().map(stream), published);
    case 'uk':
      return dated(parseUk(single()), published);
  }
}

/** The date that the importer states, when the file states none. */
async function dated(made: Promise<ListVersion>, published: string | undefined): Promise<ListVersion> {
  const version = await made;
  if (version.publicationDate !== undefined || published === undefined) return version;
  return { ...version, publicationDate: published };
}

function only(format: string, files: readonly string[]): string {
  if (files.length === 1) return files[0]!;
  throw new CodedError('FILES_UNCLEAR', `the format ${format} is one file; ${files.length} were given`);
}

type OfacRole = keyof OfacFiles;
const OFAC_ROLES = ['comments', 'sdn', 'alt', 'add'] as const satisfies readonly OfacRole[];

function ofacFiles(files: readonly string[], heads: readonly string[]): Readonly<Partial<Record<OfacRole, string>>> {
  const roles: Partial<Record<OfacRole, string>> = {};
  files.forEach((file, i) => {
    const role = roleByContent(heads[i]!) ?? roleByName(file) ?? 'sdn';
    if (roles[role] !== undefined) {
      throw new CodedError('FILES_UNCLEAR', `${file}: a second ${role.toUpperCase()} file beside ${roles[role]}`);
    }
    roles[role] = file;
  });
  if (roles.sdn === undefined) throw new CodedError('FILES_UNCLEAR', 'OFAC needs SDN.CSV at least');
  return roles;
}

function roleByContent(head: string): OfacRole | undefined {
  if (/^\d+,\d+,"[afn]ka"/.test(head)) return 'alt';
  if (/^\d+,\d+,/.test(head)) return 'add';
  if (/^\d+,"(?:[^"]|"")*"\s*[\r\n]/.test(head)) return 'comments';
  return /^\d+,/.test(head) ? 'sdn' : undefined;
}

/** For a file that begins like none of them, such as a web page: the parser says what is wrong with it. */
function roleByName(file: string): OfacRole | undefined {
  const name = path.basename(file).toLowerCase();
  return OFAC_ROLES.find((role) => name.includes(role));
}
