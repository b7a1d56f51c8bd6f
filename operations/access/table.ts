// Who may do what: one table, role × action × condition. docs/security.md shows it (`npm run docs`); table.test.ts asks
// every cell. A new route needs an action here, or it does not compile.

export const ROLES = ['viewer', 'operator', 'approver', 'compliance', 'admin', 'producer', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** When a role may act: `own`, only on what belongs to the one who asks. */
export type Condition = 'always' | 'own' | 'never';

type Row = { readonly does: string } & { readonly [R in Role]: Condition };

type CellsOf<Columns extends readonly string[]> = { [K in keyof Columns]: Condition };

/** One row; the cells in the order of ROLES. */
const row = (does: string, ...cells: CellsOf<typeof ROLES>): Row => ({
  does,
  ...(Object.fromEntries(ROLES.map((role, place) => [role, cells[place]])) as { [R in Role]: Condition }),
});

// biome-ignore format: a table is read by its columns
export const ACCESS = {
  //                                                                        viewer    operator  approver  compliance admin     producer  service
  'corridors.read':    row('see the corridors and their terms',             'always', 'always', 'always', 'always',  'always', 'always', 'always'),
  'transfers.list':    row('list transfers',                                'always', 'always', 'always', 'always',  'never',  'own',    'always'),
  'transfers.read':    row('see a transfer and its timeline',               'always', 'always', 'always', 'always',  'never',  'own',    'always'),
  'transfers.explain': row('see why screening decided as it did',           'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'records.unmask':    row('look at a record unmasked, with a reason',       'never',  'never',  'never',  'always',  'never',  'never',  'never'),
  'transfers.submit':  row('submit a transfer, and ask what became of it',  'never',  'never',  'never',  'never',   'never',  'always', 'never'),
  'quotes.ask':        row('ask for quotes',                                'never',  'never',  'never',  'never',   'never',  'always', 'never'),
  'quotes.read':       row('see quotes',                                    'always', 'always', 'always', 'always',  'never',  'own',    'never'),
  'letters.read':      row('see dead letters and their groups',             'always', 'always', 'always', 'always',  'never',  'never',  'never'),
  'replays.read':      row('see replays of dead letters, and how they end', 'always', 'always', 'always', 'always',  'never',  'never',  'never'),
  'replays.run':       row('replay dead letters',                           'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'letters.discard':   row('discard dead letters',                          'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'records.skip':      row('skip a record that blocks its consumer',        'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'cases.decide':      row('decide holds and cases of customers',           'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'cases.note':        row('write notes on cases',                          'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'payouts.resolve':   row('close cases of payouts by hand',                'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'lists.activate':    row('put list versions in force',                    'never',  'never',  'always', 'always',  'never',  'never',  'never'),
  'exceptions.grant':  row('let a counterparty pass for a listed entity',   'never',  'never',  'always', 'always',  'never',  'never',  'never'),
  'controls.read':     row('see what is paused, and broken glass',          'always', 'always', 'always', 'always',  'always', 'never',  'always'),
  'control.pause':     row('pause a part of the pipeline, alone',           'never',  'always', 'always', 'always',  'always', 'never',  'never'),
  'control.resume':    row('resume what was paused',                        'never',  'always', 'always', 'never',   'always', 'never',  'never'),
  'approvals.read':    row('see approvals',                                 'always', 'always', 'always', 'always',  'always', 'never',  'never'),
  'approvals.decide':  row('approve or refuse what others asked for',       'never',  'never',  'always', 'always',  'always', 'never',  'never'),
  'glass.break':       row('break the glass: do alone what takes two',      'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'glass.review':      row('review what another did under broken glass',    'never',  'never',  'always', 'always',  'always', 'never',  'never'),
  'letters.annotate':  row('write notes on groups of dead letters',          'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'approvals.withdraw': row('take back what you asked for',                  'never',  'always', 'always', 'always',  'always', 'never',  'never'),
  'cases.read':        row('see cases, as far as the role sees persons',     'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'audit.read':        row('see the audit log, and its proofs',                'never',  'never',  'always', 'always',  'always', 'never',  'never'),
  'payouts.read':      row('see payouts by phase, and what they come to',      'always', 'always', 'always', 'always',  'never',  'never',  'never'),
  'status.read':       row('see what runs, how far it is, and what stands still', 'always', 'always', 'always', 'always', 'always', 'never', 'always'),
  'skips.read':        row('see skips of records, and what could be skipped',  'always', 'always', 'always', 'always',  'never',  'never',  'never'),
  'lists.read':        row('see list versions, and which are in force',        'always', 'always', 'always', 'always',  'never',  'never',  'never'),
  'exceptions.read':   row('see exceptions of screening',                      'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'exceptions.revoke': row('end an exception of screening, alone',             'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'overview.read':     row('see what is broken, waits and changes, in one place', 'always', 'always', 'always', 'always', 'never', 'never', 'never'),
  'webhooks.read':     row('see webhook endpoints and their deliveries',     'always', 'always', 'always', 'always',  'never',  'own',    'never'),
  'webhooks.register': row('register webhook endpoints of your own',         'never',  'never',  'never',  'never',   'never',  'always', 'never'),
  'webhooks.change':   row('change webhook endpoints, and resend deliveries', 'never', 'never',  'never',  'never',   'never',  'own',    'never'),
  'webhooks.disable':  row('have nothing more sent to a webhook endpoint',   'never',  'always', 'always', 'never',   'never',  'own',    'never'),
  'positions.read':    row('see the open exposure by currency',              'always', 'always', 'always', 'always',  'never',  'never',  'never'),
  'rates.accept':      row('accept that a rate has jumped',                  'never',  'always', 'always', 'never',   'never',  'never',  'never'),
  'policies.read':     row('see versions of policies: limit rules and terms',  'always', 'always', 'always', 'always',  'always', 'never',  'never'),
  'limits.read':       row('see what somebody has used of limits',             'never',  'always', 'always', 'always',  'never',  'never',  'never'),
  'policies.propose':  row('propose versions of policies, and let them through', 'never', 'never',  'always', 'always',  'never',  'never',  'never'),
} as const satisfies Readonly<Record<string, Row>>;

/** What can be done. */
export type Action = keyof typeof ACCESS;
export const ACTIONS = Object.keys(ACCESS) as readonly Action[];

const STRENGTH: Readonly<Record<Condition, number>> = { never: 0, own: 1, always: 2 };

/** The best that any of these roles may. Pure. */
export function conditionFor(roles: readonly Role[], action: Action): Condition {
  const cells = roles.map((role): Condition => ACCESS[action][role]);
  return cells.reduce((best, cell) => (STRENGTH[cell] > STRENGTH[best] ? cell : best), 'never');
}
