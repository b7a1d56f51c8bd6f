// Lists from the stores that are cut say so, beside JSON too, and show no more than was asked for.
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { registerCustomers } from './customers.ts';

const list = vi.hoisted(() => vi.fn());
vi.mock('../connections.ts', () => ({
  withConnections: (use: (connections: object) => Promise<void>) =>
    use({ config: { keys: { operators: {} } }, db: async () => ({}) }),
}));
vi.mock('../../adapters/mongo/customer-cases.ts', () => ({ customerCaseStore: () => ({}) }));
vi.mock('../../operations/cases/customers/cases.ts', async (whole) => ({
  ...(await whole()),
  listCustomerCases: list,
}));

const one = (n: number) => ({
  found: { caseId: `case-${n}`, state: 'OPEN', source: 'OFAC', entityId: String(n), openedAt: 1, transferId: 't' },
  flaw: null,
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function printed(...argv: readonly string[]): Promise<{ readonly out: string; readonly err: string }> {
  const lines = { out: '', err: '' };
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    lines.out += text;
  });
  vi.spyOn(console, 'error').mockImplementation((text: string) => {
    lines.err += text;
  });
  const program = new Command('corridor').exitOverride();
  registerCustomers(program);
  await program.parseAsync(['customers', 'list', ...argv], { from: 'user' });
  return lines;
}

it.each([[[]], [['--json']]])('cases of customers %j', async (more) => {
  list.mockImplementation(async (_: unknown, { limit }: { limit: number }) => [1, 2, 3].slice(0, limit).map(one));
  const cut = await printed('--limit', '2', ...more);
  expect(cut.err).toContain('Not complete: there are more than these 2.');
  expect(cut.out).toContain('case-2');
  expect(cut.out).not.toContain('case-3');
  expect((await printed('--limit', '3', ...more)).err).toBe('');
});
