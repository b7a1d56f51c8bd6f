// Who may do what, from operations/access/table.ts.
import { ACCESS, ACTIONS, ROLES } from '../../operations/access/table.ts';

const SHOWN = { always: 'yes', own: 'own', never: '' } as const;

export function accessTable(): string {
  const rows = ACTIONS.map((action) => {
    const row = ACCESS[action];
    return `| \`${action}\` | ${row.does} | ${ROLES.map((role) => SHOWN[row[role]]).join(' | ')} |`;
  });
  return [`| action | what it is | ${ROLES.join(' | ')} |`, `|---|---|${'---|'.repeat(ROLES.length)}`, ...rows].join(
    '\n',
  );
}
