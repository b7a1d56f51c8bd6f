// Each page for whoever is on call is walked as it is written, by people with tokens of their own, against a live installation:
// what is copied from it at 3 a.m. does what it says. On servers of its own: lists and the inbox are looked at whole.
import { globSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import { ALL_GOOD, ASHA, BEN, OnCall, OTHERS, RUNNER, WAIT } from '../kit/on-call.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { ACME, CORA, ELSEWHERE, shownOn, type Values, type Walked, walk } from './testing/page-walk.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const RUNBOOKS = globSync('docs/runbooks/*.md', { cwd: ROOT }).toSorted();
/** The last one stops parts of the pipeline. */
const PAGES = [...RUNBOOKS, 'docs/operations.md'];
const LONG_MS = 1_800_000;
const HELD = 6;

const servers = useOwnStack('pages', { ephemeral: true });
let pipeline: TestPipeline;
let people: OnCall;
let completed: string;
let endpoint: string;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  people = new OnCall(pipeline, servers.stateDir);
  await Promise.all([
    pipeline.startMore(OTHERS),
    people.startApi({ CORRIDOR_API_FACES: 'producers,operators', CORRIDOR_WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8' }),
  ]);
  // The first of a feed is always a good one.
  await pipeline.feed(HELD + 1, 5, { mix: { ...ALL_GOOD, held: 1_000 } });
  const { fed } = await people.breakPricing(24, 1);
  await pipeline.startMore([[...RUNNER[0]!, '--audit']]);
  const db = await pipeline.connections.db();
  const ended = await db.collection<{ _id: string }>('transfers').findOne({ state: 'COMPLETED' });
  completed = ended!._id;
  expect(fed.length).toBe(24);
  const made = await people.corridor(
    ['webhooks', 'register', 'https://127.0.0.1:9/hook', '--events', 'transfer.completed'],
    ACME,
  );
  endpoint = /endpoint +(\S+) of acme/.exec(made.stdout)![1]!;
}, LONG_MS);
afterAll(async () => {
  await people?.close();
  await pipeline?.close();
}, 120_000);

const said = async (who: typeof ASHA, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await people.corridor(args, who);
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
};
const json = async (who: typeof ASHA, ...args: string[]) => JSON.parse(await said(who, ...args, '--json'));

/** What words in capitals name here. What a page prints, its later commands name. */
function valuesHere(): Values {
  const known = new Map<string, string>();
  const letters = async () => {
    const db = await pipeline.connections.db();
    return db
      .collection<{ _id: string }>(DEAD_LETTERS)
      .find({ owner: 'fx-pricing', state: 'PARKED' })
      .sort({ _id: 1 })
      .toArray();
  };
  async function approval(): Promise<string> {
    const id = known.get('APPROVAL');
    if (id !== undefined && (await json(BEN, 'approvals', 'show', id)).state === 'WAITING') return id;
    await paused('corridor/GB-IN');
    const asked = await said(ASHA, 'control', 'resume', 'corridor/GB-IN', '--reason', 'mended');
    known.set('APPROVAL', /approvals approve (\S+)/.exec(asked)![1]!);
    return known.get('APPROVAL')!;
  }
  // Again does no harm.
  const paused = (target: string) => said(ASHA, 'control', 'pause', target, '--reason', 'wrong rate');
  async function openCase(): Promise<string> {
    const { items } = await json(CORA, 'cases', 'list');
    const id = known.get('CASE');
    if (id !== undefined && items.some(({ caseId }: { caseId: string }) => caseId === id)) return id;
    known.set('CASE', items[0].caseId);
    return items[0].caseId;
  }
  async function replay(): Promise<string> {
    const id = known.get('REPLAY');
    if (id !== undefined) return id;
    const found = await json(ASHA, 'dlq', 'replays', 'list');
    return found[0].replayId;
  }
  return {
    async of(word, command) {
      switch (word) {
        case 'GROUP':
          return (await people.group()).groupId;
        case 'LETTER':
          return (await letters())[0]!._id;
        case 'OWNER':
          return 'fx-pricing';
        case 'PROCESSOR':
          return 'limits';
        case 'ME':
          return 'asha';
        case 'TRANSFER':
          return completed;
        case 'ENDPOINT':
          return endpoint;
        case 'CASE':
          return openCase();
        case 'REPLAY':
          return replay();
        case 'GLASS':
          return known.get('GLASS')!;
        case 'ID':
        case 'APPROVAL':
          // Shown again, it is the one that was let through.
          return command.startsWith('approvals show') && known.has('APPROVAL') ? known.get('APPROVAL')! : approval();
        default:
          throw new Error(`there is no rule for ${word}: corridor ${command}`);
      }
    },
    async before(command) {
      if (command.startsWith('control resume')) await paused('corridor/GB-IN');
      if (command.startsWith('webhooks resend')) await said(ACME, 'webhooks', 'enable', endpoint);
      // Whoever stands under the first one cannot ask for more letters.
      if (command.startsWith('dlq edit')) await vi.waitUntil(async () => (await letters()).length > 0, WAIT);
    },
    heard(command, printed) {
      const approvalId = /corridor approvals approve (\S+) --/.exec(printed)?.[1];
      if (approvalId !== undefined && approvalId !== 'APPROVAL') known.set('APPROVAL', approvalId);
      const replayId = /dlq approve (\S+)/.exec(printed)?.[1];
      if (replayId !== undefined) known.set('REPLAY', replayId);
      const glass = /--glass (\S+)/.exec(printed)?.[1];
      if (glass !== undefined && command.startsWith('break-glass open')) known.set('GLASS', glass);
    },
  };
}

/** What came of it, beside that each command was done. */
const CAME_OF: Readonly<Record<string, (walked: readonly Walked[]) => void | Promise<void>>> = {
  'docs/runbooks/README.md': (walked) => expect(printedBy(walked, 'stuck')).toContain('DEAD_LETTER'),
  'docs/runbooks/a-case-is-overdue.md': (walked) =>
    expect(printedBy(walked, 'cases assign')).toContain('is assigned to asha'),
  'docs/runbooks/a-group-appeared.md': (walked) => {
    expect(printedBy(walked, 'dlq check')).toMatch(/goes through/);
    expect(printedBy(walked, 'dlq note')).toContain('INC-4711');
  },
  'docs/runbooks/a-letter-needs-a-correction.md': (walked) => {
    expect(printedBy(walked, 'dlq edit')).toContain('/parties/remittanceInformation');
    expect(printedBy(walked, 'dlq approve')).toContain('APPROVED by ben');
  },
  'docs/runbooks/a-rate-jumped.md': (walked) =>
    expect(printedBy(walked, 'rates accept')).toMatch(/GB-IN: from GBP\/INR .* bps/),
  'docs/runbooks/a-webhook-fails.md': (walked) => {
    expect(printedBy(walked, 'webhooks disable')).toContain('floods its own network');
    expect(printedBy(walked, 'webhooks resend')).toContain('0 deliveries');
  },
  'docs/runbooks/break-glass.md': async (walked) => {
    expect(printedBy(walked, 'approvals approve')).toContain('EXECUTED');
    expect(printedBy(walked, 'break-glass review')).toMatch(/REVIEWED/);
    expect(await json(ASHA, 'control', 'show')).toEqual([]);
  },
  'docs/operations.md': async (walked) => {
    expect(printedBy(walked, 'cases note')).toContain('noted');
    expect(printedBy(walked, 'approvals withdraw')).toContain('WITHDRAWN');
    expect(printedBy(walked, 'control show')).toMatch(/processor\/limits +PAUSED/);
  },
};
const printedBy = (walked: readonly Walked[], command: string): string =>
  walked
    .filter((each) => each.command.startsWith(command))
    .map(({ printed }) => printed)
    .join('\n');

describe.each(PAGES)('%s', (page) => {
  it(
    'does what it says, as it is written',
    async () => {
      const walked = await walk(page, people, valuesHere(), servers.stateDir);
      expect(walked.length).toBeGreaterThan(0);
      await CAME_OF[page]?.(walked);
    },
    LONG_MS,
  );
});

it('what is tried elsewhere stands on some page, and most is tried here', () => {
  const shown = PAGES.flatMap((page) => shownOn(page).map(({ words }) => words.join(' ')));
  for (const [form] of ELSEWHERE) expect(shown.filter((command) => form.test(command)).length).toBeGreaterThan(0);
  const left = shown.filter((command) => ELSEWHERE.some(([form]) => form.test(command)));
  expect(shown.length).toBeGreaterThan(70);
  expect(left.length * 5).toBeLessThan(shown.length);
});
