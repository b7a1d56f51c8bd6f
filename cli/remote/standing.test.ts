// The status over an API that was told of no processes.
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { registerRemoteStatus } from './standing.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

it('says that no process was asked, and who has to be told of them', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
  const body = {
    ...{ at: '2026-12-01T03:00:00.000Z', processes: [], consumers: [], stuck: null, cases: null, problems: [] },
    ...{ complete: true, missing: [] },
  };
  const client: ApiClient = {
    url: 'https://corridor.internal',
    ask: async () => ({ status: 200, etag: undefined, body }),
  };
  const program = new Command('corridor').exitOverride();
  registerRemoteStatus(program, () => client);
  await program.parseAsync(['status'], { from: 'user' });
  expect(lines.join('\n')).toContain('Processes\n(none was asked: set CORRIDOR_HEALTH_URLS of the API)');
});
