import { Command } from 'commander';
import { expect, it } from 'vitest';
import { rolesOf } from './token.ts';

it.each([
  [
    ['--role', 'operator,approver'],
    ['operator', 'approver'],
  ],
  [
    ['--role', 'operator', '--role', 'approver'],
    ['operator', 'approver'],
  ],
  [
    ['--role', 'operator', '--role', 'operator, viewer'],
    ['operator', 'viewer'],
  ],
])('%j are the roles of a token', (args, roles) => {
  const command = new Command().option('--role <names>', 'roles', rolesOf).exitOverride();
  expect(command.parse(args, { from: 'user' }).opts()).toEqual({ role: roles });
});

it('a role that there is not is refused', () => {
  expect(() => rolesOf('operator,king')).toThrow('there is no role king');
});
