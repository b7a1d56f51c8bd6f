// `corridor lists check|diff`: list files looked at without importing them.
import type { Command } from 'commander';
import { diffLists, ListRefused, type ListVersion, refuseShrunk } from '../processors/screening/lists/index.ts';
import { listsFromFiles } from './list-files.ts';
import { printRows, toJson, withJson } from './output.ts';

export function registerLists(program: Command): void {
  const lists = program.command('lists').description('sanctions lists: check files, compare versions');

  withJson(lists.command('check <file...>'))
    .description('read list files and report entities and names, read and dropped; exits 1 when a file is refused')
    .addHelpText('after', '\nExample:\n  corridor lists check SDN.CSV ALT.CSV consolidated.xml')
    .action(async (files: string[], { json }: { json?: boolean }) => {
      const versions = await readOrRefuse(files);
      if (json) console.log(toJson(versions.map(({ entities: _, ...rest }) => rest)));
      else for (const version of versions) describe(version);
    });

  withJson(lists.command('diff <old> <new>'))
    .description('entities added, removed and changed between two files of the same list')
    .addHelpText('after', '\nExample:\n  corridor lists diff sdn-april.csv sdn-may.csv')
    .action(async (before: string, after: string, { json }: { json?: boolean }) => {
      const [[old], [young]] = [await readOrRefuse([before]), await readOrRefuse([after])];
      if (old === undefined || young === undefined) return;
      const { added, removed, changed } = diffLists(old, young);
      if (json) {
        console.log(toJson({ added, removed, changed }));
        return;
      }
      console.log(`+${added.length} / -${removed.length} / ${changed.length} changed`);
      const rows = [
        ...added.map((entity) => ({ change: 'added', id: entity.id, name: entity.names[0]!.full, fields: '' })),
        ...removed.map((entity) => ({ change: 'removed', id: entity.id, name: entity.names[0]!.full, fields: '' })),
        ...changed.map(({ after: entity, fields }) => ({
          change: 'changed',
          id: entity.id,
          name: entity.names[0]!.full,
          fields: fields.join(', '),
        })),
      ];
      printRows(rows, ['change', 'id', 'name', 'fields']);
      warnOfShrinkage(old, young);
    });
}

async function readOrRefuse(files: readonly string[]): Promise<ListVersion[]> {
  try {
    return await listsFromFiles(files);
  } catch (error) {
    if (!(error instanceof ListRefused)) throw error;
    console.error(`${error.message} (${error.code})`);
    process.exitCode = 1;
    return [];
  }
}

function warnOfShrinkage(before: ListVersion, after: ListVersion): void {
  try {
    refuseShrunk(before, after);
  } catch (error) {
    if (!(error instanceof ListRefused)) throw error;
    console.error(`An import would refuse this: ${error.message} (${error.code})`);
  }
}

function describe({ source, publicationDate, contentHash, counts, report }: ListVersion): void {
  console.log(
    `${source}${publicationDate === undefined ? '' : ` of ${publicationDate}`}, content ${contentHash.slice(0, 16)}…`,
  );
  console.log(`  entities: ${report.entitiesRead} read, ${counts.entities} kept`);
  console.log(`  names: ${report.namesRead} read, ${counts.names} kept`);
  const groups = {
    'dropped entities': report.droppedEntities,
    'dropped names': report.droppedNames,
    warnings: report.warnings,
  };
  for (const [name, reasons] of Object.entries(groups)) {
    for (const { code, count, examples } of reasons)
      console.log(`  ${name}: ${code} ${count} (${examples.join(', ')})`);
  }
}
