// Commands that go to the API where one is named.
import type { Command } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';

type Register = (program: Command) => void;
type RegisterRemote = (program: Command, api: () => ApiClient) => void;

const standing = () => import('./standing.ts');
const screening = () => import('./screening.ts');
const control = () => import('./control.ts');
const REMOTE: Readonly<Record<string, () => Promise<RegisterRemote>>> = {
  dlq: async () => (await import('./dead-letters.ts')).registerRemoteLetters,
  approvals: async () => (await import('./approvals.ts')).registerRemoteApprovals,
  cases: async () => (await import('./cases.ts')).registerRemoteCases,
  status: async () => (await standing()).registerRemoteStatus,
  stuck: async () => (await standing()).registerRemoteStuck,
  transfers: async () => (await standing()).registerRemoteTransfers,
  payouts: async () => (await standing()).registerRemotePayouts,
  lists: async () => (await screening()).registerRemoteLists,
  exceptions: async () => (await screening()).registerRemoteExceptions,
  control: async () => (await control()).registerRemoteControl,
  'break-glass': async () => (await control()).registerRemoteGlass,
  policy: async () => (await import('./policies.ts')).registerRemotePolicies,
  limits: async () => (await import('./limits.ts')).registerRemoteLimits,
  rates: async () => (await import('./rates.ts')).registerRemoteRates,
  audit: async () => (await import('./audit.ts')).registerRemoteAudit,
  webhooks: async () => (await import('./webhooks.ts')).registerRemoteWebhooks,
};

/** Those of the commands that are there over the API, for this one; `open`: its client, by default with the person's token. */
export const remoteCommands = (
  url: string,
  open?: (url: string) => ApiClient,
): Readonly<Record<string, () => Promise<Register>>> =>
  Object.fromEntries(
    Object.entries(REMOTE).map(([name, load]) => [
      name,
      async (): Promise<Register> => {
        const register = await load();
        // A token is looked for by commands that go to the API alone.
        const opened = open ?? (await import('./session.ts')).session;
        return (program) => register(program, () => opened(url));
      },
    ]),
  );
