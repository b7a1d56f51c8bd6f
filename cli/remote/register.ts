// Commands that go to the API where one is named.
import type { Command } from 'commander';
import { session } from './session.ts';

type Register = (program: Command) => void;

/** Those of the commands that are there over the API, for this one. */
export const remoteCommands = (url: string): Readonly<Record<string, () => Promise<Register>>> => ({
  dlq: async () => {
    const { registerRemoteLetters } = await import('./dead-letters.ts');
    return (program) => registerRemoteLetters(program, () => session(url));
  },
  approvals: async () => {
    const { registerRemoteApprovals } = await import('./approvals.ts');
    return (program) => registerRemoteApprovals(program, () => session(url));
  },
  cases: async () => {
    const { registerRemoteCases } = await import('./cases.ts');
    return (program) => registerRemoteCases(program, () => session(url));
  },
});
