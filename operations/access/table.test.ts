import { describe, expect, it } from 'vitest';
import { checkNameOfRole, mayTouch, type Principal, type ProducerNames, permission, principalOf } from './principal.ts';
import { ACTIONS, type Action, type Condition, conditionFor, ROLES, type Role } from './table.ts';

/** The table once more, by hand: a = always, o = own, . = never. A changed cell is changed here too, on purpose. */
const EXPECTED: Readonly<Record<Action, string>> = {
  //                   viewer operator approver compliance admin producer service
  'corridors.read': 'aaaaaaa',
  'transfers.list': 'aaaa.oa',
  'transfers.read': 'aaaa.oa',
  'transfers.explain': '.aaa...',
  'records.unmask': '...a...',
  'transfers.submit': '.....a.',
  'quotes.ask': '.....a.',
  'quotes.read': 'aaaa.o.',
  'letters.read': 'aaaa...',
  'replays.read': 'aaaa...',
  'replays.run': '.aa....',
  'letters.discard': '.aa....',
  'records.skip': '.aa....',
  'cases.decide': '.aaa...',
  'cases.note': '.aaa...',
  'payouts.resolve': '.aa....',
  'lists.activate': '..aa...',
  'exceptions.grant': '..aa...',
  'controls.read': 'aaaaa.a',
  'control.pause': '.aaaa..',
  'control.resume': '.aa.a..',
  'approvals.read': 'aaaaa..',
  'approvals.decide': '..aaa..',
  'glass.break': '.aa....',
  'glass.review': '..aaa..',
  'letters.annotate': '.aa....',
  'approvals.withdraw': '.aaaa..',
  'cases.read': '.aaa...',
  'audit.read': '..aaa..',
  'payouts.read': 'aaaa...',
  'status.read': 'aaaaa.a',
  'skips.read': 'aaaa...',
  'lists.read': 'aaaa...',
  'exceptions.read': '.aaa...',
  'exceptions.revoke': '.aaa...',
  'overview.read': 'aaaa...',
  'webhooks.read': 'aaaa.o.',
  'webhooks.register': '.....a.',
  'webhooks.change': '.....o.',
  'webhooks.disable': '.aa..o.',
  'positions.read': 'aaaa...',
  'rates.accept': '.aa....',
  'policies.read': 'aaaaa..',
  'limits.read': '.aaa...',
  'policies.propose': '..aa...',
};
const WORDS: Readonly<Record<string, Condition>> = { a: 'always', o: 'own', '.': 'never' };
const cells = ACTIONS.flatMap((action) =>
  ROLES.map((role, place): [Role, Action, Condition] => [role, action, WORDS[EXPECTED[action][place]!]!]),
);

const principal = (over: Partial<Principal> = {}): Principal => ({
  subject: 'asha',
  name: 'Asha',
  roles: [],
  credential: 'token',
  ...over,
});

describe('the table of roles and actions', () => {
  it('has a cell for each', () => {
    expect(Object.keys(EXPECTED)).toEqual(ACTIONS);
    for (const row of Object.values(EXPECTED)) expect(row).toHaveLength(ROLES.length);
  });

  it.each(cells)('%s may do %s: %s', (role, action, condition) => {
    expect(conditionFor([role], action)).toBe(condition);
    const asks = () => permission(principal({ roles: [role] }), action);
    if (condition === 'never') expect(asks).toThrow(expect.objectContaining({ code: 'ACTION_FORBIDDEN' }));
    else expect(asks()).toBe(condition);
    expect(mayTouch(condition, principal(), 'asha')).toBe(condition !== 'never');
    expect(mayTouch(condition, principal(), 'bela')).toBe(condition === 'always');
    expect(mayTouch(condition, principal(), undefined)).toBe(condition === 'always');
  });

  it('lets nobody without a role do anything, and several roles what one of them may', () => {
    for (const action of ACTIONS) expect(conditionFor([], action)).toBe('never');
    expect(conditionFor(['producer', 'viewer'], 'transfers.read')).toBe('always');
    expect(conditionFor(['admin', 'producer'], 'transfers.read')).toBe('own');
  });

  it('lets a key do no more than its scopes, and no more than its roles', () => {
    const key = principal({ roles: ['producer'], scopes: ['corridors.read', 'transfers.explain'] });
    expect(permission(key, 'corridors.read')).toBe('always');
    for (const action of ['transfers.submit', 'transfers.explain'] as const)
      expect(() => permission(key, action)).toThrow(expect.objectContaining({ code: 'ACTION_FORBIDDEN' }));
  });
});

describe('a name', () => {
  const of = (name: string, ...roles: string[]) => principalOf(name, roles, { credential: 'token' });
  const known = { listed: ['acme', 'zenith'], keyed: [] };
  const refuses = (name: string, ...roles: string[]) => refusedBy(known, name, ...roles);
  const refusedBy = (names: ProducerNames, name: string, ...roles: string[]) =>
    expect(() => checkNameOfRole(of(name, ...roles), names)).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_INVALID' }),
    );

  it('is that of a producer or of a person, whatever roles a token claims for it', () => {
    refuses('asha', 'producer');
    refuses('asha', 'producer', 'operator');
    refuses('acme', 'operator');
    refuses('Ácme', 'viewer', 'producer');
    checkNameOfRole(of('acme', 'producer'), known);
    checkNameOfRole(of('asha', 'operator', 'approver'), known);
    checkNameOfRole(of('probe', 'service'), known);
  });

  it('is of both kinds nowhere, also where the installation lists no producers', () => {
    const none = { listed: [], keyed: [] };
    refusedBy(none, 'asha', 'producer', 'operator');
    refusedBy(none, 'asha', 'viewer', 'producer');
    // Whose API keys there are is known.
    refusedBy({ listed: [], keyed: ['acme'] }, 'ACME', 'viewer');
    checkNameOfRole(of('zenith', 'producer'), { listed: [], keyed: ['acme'] });
    // Whom the issuer calls a producer is one, under that name and no other.
    checkNameOfRole(of('asha', 'producer'), none);
  });
});
