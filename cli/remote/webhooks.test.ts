// `corridor webhooks` against the API itself: what a producer and an operator type, and what they read.
import { Command } from 'commander';
import { expect, it } from 'vitest';
import type { Role } from '../../operations/access/table.ts';
import { deliveryFor } from '../../operations/webhooks/testing/world.ts';
import { AT } from '../../test/kit/builders.ts';
import { registerWebhooks } from '../commands/webhooks.ts';
import { useRemoteCommands } from './testing/commands.ts';

const remote = useRemoteCommands();
/** Runs `corridor webhooks …` as this person. Resolves with what was printed. */
const as = (name: string, role: Role, ...argv: readonly string[]) => remote.as(name, role, 'webhooks', ...argv);
const URL_OF_ACME = 'https://hooks.acme.test/in';
const SECRET = /whsec_\S+/;

it('a producer registers, changes, replaces the secret of and deletes its endpoint', async () => {
  const made = await as('acme', 'producer', 'register', URL_OF_ACME, '--events', 'transfer.completed,transfer.held');
  const id = /endpoint {2}(\S+) of acme, enabled/.exec(made)![1]!;
  expect(made).toMatch(SECRET);
  expect(await as('acme', 'producer', 'update', id, '--events', 'transfer.rejected')).toContain('transfer.rejected');
  const rotated = await as('acme', 'producer', 'rotate-secret', id, '--keep-hours', '2');
  expect(SECRET.exec(rotated)![0]).not.toBe(SECRET.exec(made)![0]);
  expect(rotated).toMatch(/signs until 2026-11-23T11:00/);
  for (const shown of [await as('acme', 'producer', 'show', id), await as('acme', 'producer', 'list', '--json')])
    expect(shown).not.toMatch(SECRET);
  await expect(as('acme', 'producer', 'delete', id)).rejects.toMatchObject({ code: 'OPTION_MISSING' });
  expect(await as('acme', 'producer', 'delete', id, '--yes')).toContain('It is gone.');
  expect(await as('acme', 'producer', 'list')).toBe('(nothing)');
});

it('an operator sees everybody’s and disables one; its producer enables it and has what failed sent again', async () => {
  const made = await as('acme', 'producer', 'register', URL_OF_ACME);
  const id = /endpoint {2}(\S+)/.exec(made)![1]!;
  for (const [i, state] of (['FAILED', 'FAILED', 'DELIVERED'] as const).entries()) {
    const each = deliveryFor(id, `e-${i}`, { state, lastCode: 'HTTP_503', occurredAt: new Date(AT + i) });
    remote.memory.webhooks.kept.set(each._id, each);
  }
  expect(await as('vera', 'viewer', 'list', '--producer', 'acme')).toMatch(new RegExp(`${id} +acme`));
  const off = await as('asha', 'operator', 'disable', id, '--reason', 'floods its own network');
  expect(off).toMatch(/disabled {2}\S+ by asha: floods its own network/);
  const resend = ['resend', id, '--from', '2026-11-23T00:00:00Z', '--to', '2026-11-24T00:00:00Z'];
  await expect(as('acme', 'producer', ...resend)).rejects.toMatchObject({ code: 'WEBHOOK_ENDPOINT_DISABLED' });
  await expect(as('asha', 'operator', 'enable', id)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
  await as('acme', 'producer', 'enable', id);
  expect(await as('acme', 'producer', 'deliveries', id, '--state', 'FAILED')).toMatch(/HTTP_503.*HTTP_503/s);
  expect(await as('acme', 'producer', ...resend)).toBe('2 deliveries are sent again.');
  const one = deliveryFor(id, 'e-2')._id;
  expect(await as('acme', 'producer', 'resend', id, '--delivery', one)).toBe('1 delivery is sent again.');
});

it('says that it needs an API where none is named', async () => {
  const program = new Command('corridor').exitOverride();
  registerWebhooks(program);
  await expect(program.parseAsync(['webhooks', 'list'], { from: 'user' })).rejects.toMatchObject({
    code: 'OPTION_MISSING',
  });
});
