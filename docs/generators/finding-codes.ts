// The table of what a verification can find, from verify/finding-codes.ts.
import { FINDING_GROUPS } from '../../verify/finding-codes.ts';

export function findingCodes(): string {
  const rows = FINDING_GROUPS.map(
    ({ codes, wrong, toDo }) => `| ${codes.map((code) => `\`${code}\``).join(', ')} | ${wrong} | ${toDo} |`,
  );
  return ['| code | what is wrong | what to do |', '|---|---|---|', ...rows].join('\n');
}
