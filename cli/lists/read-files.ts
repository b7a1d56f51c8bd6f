// Reads list files of any format that is known, as streams.
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import {
  type ListVersion,
  type OfacFiles,
  parseEuAnnexes,
  parseEuConsolidated,
  parseOfac,
  parseUk,
  parseUn,
} from '../../processors/screening/lists/index.ts';
import { CodedError } from '../../runtime/ports/fault.ts';

export const LIST_FORMATS = ['ofac', 'un', 'eu', 'eu-annexes', 'uk'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export interface ReadOptions {
  /** Source to file the list under, where the format does not say it by itself (OFAC's format). */
  readonly source?: string;
  /** ISO date, where the files do not state it. */
  readonly published?: string;
}

/**
 * A list version from its files; OFAC's are told apart by name (sdn, alt, add, comments).
 * @throws ListRefused for a file that must not become a list; CodedError FILE_MISSING, FORMAT_UNKNOWN, FILES_UNCLEAR
 */
export async function readListFiles(
  format: string,
  files: readonly string[],
  options: ReadOptions = {},
): Promise<ListVersion> {
  await Promise.all(files.map(mustExist));
  const open = (file: string) => createReadStream(file, { highWaterMark: 1 << 18 });
  const { published } = options;
  const single = () => open(only(format, files));
  switch (format as ListFormat) {
    case 'ofac': {
      const roles = ofacFiles(files);
      const opened = Object.fromEntries(Object.entries(roles).map(([role, file]) => [role, open(file)]));
      const source = options.source === undefined ? {} : { source: options.source };
      return parseOfac(opened as unknown as OfacFiles, {
        ...source,
        ...(published === undefined ? {} : { publicationDate: published }),
      });
    }
    case 'un':
      return dated(await parseUn(single()), published);
    case 'eu':
      return dated(await parseEuConsolidated(single()), published);
    case 'eu-annexes':
      return parseEuAnnexes(files.toSorted().map(open), published);
    case 'uk':
      return dated(await parseUk(single()), published);
    default:
      throw new CodedError('FORMAT_UNKNOWN', `there is no format "${format}"; there are: ${LIST_FORMATS.join(', ')}`);
  }
}

/** The date that the importer states, when the file states none. */
const dated = (version: ListVersion, published: string | undefined): ListVersion =>
  version.publicationDate === undefined && published !== undefined
    ? { ...version, publicationDate: published }
    : version;

async function mustExist(file: string): Promise<void> {
  await access(file).catch(() => {
    throw new CodedError('FILE_MISSING', `there is no file ${file}`);
  });
}

function only(format: string, files: readonly string[]): string {
  if (files.length === 1) return files[0]!;
  throw new CodedError('FILES_UNCLEAR', `the format ${format} is one file; ${files.length} were given`);
}

const OFAC_ROLES = ['comments', 'sdn', 'alt', 'add'] as const;

function ofacFiles(files: readonly string[]): Readonly<Record<string, string>> {
  const roles: Record<string, string> = {};
  for (const file of files) {
    const name = path.basename(file).toLowerCase();
    const role = OFAC_ROLES.find((candidate) => name.includes(candidate));
    if (role === undefined || roles[role] !== undefined) {
      throw new CodedError('FILES_UNCLEAR', `${file}: name the files sdn, alt, add and comments, one each`);
    }
    roles[role] = file;
  }
  if (roles['sdn'] === undefined) throw new CodedError('FILES_UNCLEAR', 'OFAC needs SDN.CSV at least');
  return roles;
}
