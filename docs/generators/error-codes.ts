// The reference of error codes, from ports/error-codes.ts.
import { type CatalogueEntry, codesBySubject } from '../../ports/error-codes.ts';

export function errorReference(): string {
  return Object.entries(codesBySubject)
    .map(([subject, codes]) => [`### ${subject}`, HEAD, ...Object.entries(codes).map(row)].join('\n'))
    .join('\n\n');
}

const HEAD = '| code | class | concerns | HTTP | what to do |\n|---|---|---|---|---|';

const row = ([code, { classes, concern, status, action }]: [string, CatalogueEntry]): string =>
  `| <a id="${code}"></a>\`${code}\` | ${classes.join(', ')} | ${concern} | ${status} | ${action.replaceAll('|', '\\|')} |`;
