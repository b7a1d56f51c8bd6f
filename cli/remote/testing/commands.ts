// Commands over the API, run against the API itself in memory.
import { Command } from 'commander';
import { afterEach, beforeEach, vi } from 'vitest';
import { apiClient } from '../../../adapters/http/api-client.ts';
import { type Memory, testApi, tokenFor } from '../../../api/testing/api.ts';
import type { Role } from '../../../operations/access/table.ts';
import { remoteCommands } from '../register.ts';

/** Statuses of answers that have no body. */
const WITHOUT_BODY = [204, 304];

export interface RemoteCommands {
  readonly memory: Memory;
  /** Runs a command as this person. Resolves with what was printed. */
  as(name: string, role: Role, ...argv: readonly string[]): Promise<string>;
}

/** To be called once, at the top of a file: each test has an API of its own. */
export function useRemoteCommands(): RemoteCommands {
  let api: Awaited<ReturnType<typeof testApi>>;
  let lines: string[] = [];
  beforeEach(async () => {
    api = await testApi();
    for (const name of ['log', 'error'] as const)
      vi.spyOn(console, name).mockImplementation((text: string) => void lines.push(text));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    process.exitCode = 0;
    await api.app.close();
  });
  const send = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    const { pathname, search } = new URL(String(url));
    const answer = await api.app.inject({
      ...{ method: init.method as never, url: `${pathname}${search}`, headers: init.headers as never },
      ...(init.body === undefined ? {} : { payload: String(init.body) }),
    });
    const body = WITHOUT_BODY.includes(answer.statusCode) ? null : answer.body;
    return new Response(body, { status: answer.statusCode, headers: answer.headers as never });
  };
  return {
    get memory() {
      return api.memory;
    },
    async as(name, role, ...argv) {
      lines = [];
      const token = await tokenFor(name, [role]);
      const open = (url: string) => apiClient({ url, token: async () => token, fetch: send as typeof fetch });
      const program = new Command('corridor').exitOverride().configureOutput({ writeErr: () => undefined });
      (await remoteCommands('https://corridor.internal', open)[argv[0]!]!())(program);
      for (const each of program.commands) each.exitOverride();
      await program.parseAsync([...argv], { from: 'user' });
      return lines.join('\n');
    },
  };
}
