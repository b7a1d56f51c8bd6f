// The tables of what a verification can find, from verify/finding-codes.ts and operations/audit/finding-codes.ts.
import { auditFindingCodes } from '../../operations/audit/finding-codes.ts';
import { FINDING_GROUPS } from '../../verify/finding-codes.ts';

export function findingCodes(): string {
  const rows = FINDING_GROUPS.map(
    ({ codes, wrong, toDo }) => `| ${codes.map((code) => `\`${code}\``).join(', ')} | ${wrong} | ${toDo} |`,
  );
  return ['| code | what is wrong | what to do |', '|---|---|---|', ...rows].join('\n');
}

/** The same of the audit log. */
export function auditFindingTable(): string {
  const rows = Object.entries(auditFindingCodes).map(([code, { what, toDo }]) => `| \`${code}\` | ${what} | ${toDo} |`);
  return ['| code | what is wrong | what to do |', '|---|---|---|', ...rows].join('\n');
}
