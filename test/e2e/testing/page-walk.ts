// A page for whoever is on call, walked as it is written: each command that it shows is run against a live installation, by a
// person who may, and must do what it says. What stands on a page and cannot be run fails, or is named here with why.
//
// Values are filled by these rules, and by no other:
// - A word in capitals is what it names, in the world at hand: CASE an open hold, GROUP the dead letters that stand …
// - "…" is a reason. A file that is named is there.
// - Where a person types a word, a program names what it saw: --evidence, --hash, --letters.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { commandsIn, type ShownCommand } from '../../../docs/testing/shown-commands.ts';
import { ASHA, BEN, type OnCall, type Person } from '../../kit/on-call.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

export const CORA: Person = { name: 'cora', roles: ['compliance'] };
const DORA: Person = { name: 'dora', roles: ['compliance', 'approver'] };
export const ACME: Person = { name: 'acme', roles: ['producer'] };

/** Who types what; the first that fits. Absent: asha, who operates. */
const WHO: readonly (readonly [RegExp, Person])[] = [
  [/^approvals approve .*--glass/, ASHA],
  [/^(approvals (approve|refuse|list|show)|dlq approve|break-glass review|audit )/, BEN],
  [/^cases (show|decide)/, CORA],
  [/^webhooks resend/, ACME],
];

/** What is not run by these walks, and by which test it is. */
export const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^(login|logout|local-issuer)\b/, 'test/e2e/api.test.ts and adapters/auth: it asks a page in a browser'],
  [/^up --restart/, 'infra/local: it restarts a server of the stack beneath it'],
  [/^cases (show|decide) TRANSFER\/1/, 'test/e2e/payout-cases-over-http.test.ts: it takes a payout with a case'],
];

/** Refused in the world at hand, by this code, since what it is for has not happened: a page says when it is to be typed. */
const REFUSED: readonly (readonly [RegExp, RegExp])[] = [
  [/^dlq replays resume REPLAY/, /REPLAY_MOVED|APPROVAL_|REPLAY_/],
  [/^dlq replays cancel REPLAY/, /REPLAY_MOVED/],
];

/** A command that says by its code that something is not as it should be. */
const TELLS = /^(status|dlq check)\b/;

export interface Values {
  /** What the word names now. @throws when there is no rule for it */
  readonly of: (word: string, command: string) => Promise<string>;
  /** What a page takes for granted before this command. */
  readonly before: (command: string) => Promise<void>;
  /** What was printed: ids that later commands name. */
  readonly heard: (command: string, printed: string) => void;
}

export interface Walked {
  readonly command: string;
  readonly printed: string;
}

/** Of a page of steps all of it. Elsewhere what stands in the text is mostly named there, not to be typed. */
export const shownOn = (page: string): readonly ShownCommand[] =>
  commandsIn(readFileSync(path.join(ROOT, page), 'utf8')).filter(
    ({ words, isInBlock }) =>
      isInBlock ||
      (page.startsWith('docs/runbooks/') && (words.length > 2 || /^(stuck|config)$/.test(words.join(' ')))),
  );

const wordsOf = (words: readonly string[]) => words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ');
const PLACEHOLDER = /^([A-Z]{2,})$/;
const NO_PLACEHOLDERS = new Set(['SCREENING', 'PAYOUT', 'ALL', 'DECIDED', 'FAILED']);

/** Walks it from top to bottom. @returns each command with what it printed */
export async function walk(page: string, people: OnCall, values: Values, folder: string): Promise<readonly Walked[]> {
  const walked: Walked[] = [];
  for (const { words } of shownOn(page)) {
    const command = wordsOf(words);
    if (ELSEWHERE.some(([form]) => form.test(command))) continue;
    await values.before(command);
    const filled = await Promise.all(words.map((word, place) => fill(word, words[place - 1], command, values, folder)));
    const who = WHO.find(([form]) => form.test(command))?.[1] ?? ASHA;
    const printed = await typed({ page, command, args: filled, who, people });
    values.heard(command, printed);
    walked.push({ command, printed });
  }
  return walked;
}

async function fill(word: string, option: string | undefined, command: string, values: Values, folder: string) {
  if (word === '…') return 'for a test';
  if (/^--(patch|document)$/.test(option ?? '')) {
    const file = path.join(folder, word);
    const patch = [{ op: 'replace', path: '/parties/remittanceInformation', value: 'Invoice 4711' }];
    writeFileSync(file, option === '--patch' ? JSON.stringify(patch) : 'a letter');
    return file;
  }
  const isGiven = option === '--state' || option === '--stage' || option === '--kind' || option === '--phase';
  if (isGiven || NO_PLACEHOLDERS.has(word) || !PLACEHOLDER.test(word) || option === '--code') return word;
  return values.of(word, command);
}

interface Typed {
  readonly page: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly who: Person;
  readonly people: OnCall;
}

async function typed({ page, command, args, who, people }: Typed): Promise<string> {
  const isDirect = args.includes('--direct') || /^(topics|config)\b/.test(command);
  const asked = [...args, ...(await seen(command, args, who, people))];
  const second = command.startsWith('approvals approve') && args.includes('the same to me') ? DORA : who;
  const { code, stdout, stderr } = await people.corridor(asked, isDirect ? undefined : second);
  const said = `${page}: corridor ${asked.join(' ')}\n${stdout}\n${stderr}`;
  expect(stderr, said).not.toMatch(/\n\s+at /);
  const refused = REFUSED.find(([form]) => form.test(command))?.[1];
  if (code !== 0 && refused) expect(stderr, said).toMatch(refused);
  else expect(TELLS.test(command) ? [0, 2] : [0], said).toContain(code);
  return stdout;
}

/** What a program names instead of typing a word. */
async function seen(command: string, args: readonly string[], who: Person, people: OnCall): Promise<readonly string[]> {
  const json = async (...asked: string[]) => JSON.parse((await people.corridor([...asked, '--json'], who)).stdout);
  if (/^approvals (approve|refuse) /.test(command)) {
    return ['--hash', (await json('approvals', 'show', args[2]!)).hash];
  }
  if (/^dlq (edit|approve) /.test(command)) return ['--letters', '1'];
  if (command.startsWith('cases decide ')) {
    const shown = await json('cases', 'show', args[2]!);
    const verdict = /--(approve|reject|close)\b/.test(command) ? [] : ['--approve'];
    return [...verdict, '--evidence', args.includes('--alike') ? shown.hold.alike.seen : shown.seen];
  }
  return [];
}
