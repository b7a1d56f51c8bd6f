// Attacks on held transfers while the pipeline runs: made-up commands, changed cases, decisions written into the database.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CASES, type CaseStore, caseStore } from '../../adapters/mongo/cases.ts';
import { keyRing } from '../../domain/seals/seal.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import { toCommand } from '../../operations/cases/holds/command.ts';
import { sealedDecision } from '../../operations/cases/holds/decide.ts';
import { sealed } from '../../ports/seals.ts';
import { contentHashOf } from '../../processors/hold-content.ts';
import { heldOf } from '../../processors/holds.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import type { Parties, TransferHeld } from '../../schemas/types.generated.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { HEADER } from '../../topics/headers.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const ALL_HELD: Mix = { ...NOTHING, held: 1_000 };
const STRANGER = keyRing('dev:a-key-that-nobody-here-has-ever-seen-000');
let pipeline: TestPipeline;
let store: CaseStore;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack') });
  store = caseStore(await pipeline.connections.db());
  await pipeline.start();
}, 180_000);
afterAll(async () => {
  await pipeline?.close();
});

function corridor(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { env: pipeline.env, encoding: 'utf8' });
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`did not come about; logs in ${pipeline.logFiles}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

const change = async ({ _id }: CaseDocument, fields: object) =>
  (await pipeline.connections.db()).collection<{ _id: string }>(CASES).updateOne({ _id }, { $set: fields });
const decision = (of: CaseDocument, verdict: 'APPROVE' | 'REJECT', evidenceHash = of.evidenceHash) =>
  sealedDecision(
    pipeline.connections.config.keys.operators,
    { holdId: of._id, evidenceHash },
    { decision: verdict, decidedBy: 'amara', decidedAt: new Date(), justification: 'checked' },
  );
const toAnotherAccount = (held: TransferHeld): TransferHeld => {
  const [name, parties] = Object.entries(held.parties)[0]! as [string, Parties];
  const creditor = { ...parties.creditor, name: 'Mallory', account: { ...parties.creditor.account, value: '999' } };
  return { ...held, parties: { [name]: { ...parties, creditor } } as never };
};
const logged = (code: string) =>
  readFileSync(path.join(pipeline.logFiles, 'run-1-0.log'), 'utf8').split(`"${code}"`).length - 1;
const executed = () =>
  readFileSync(pipeline.ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { kind: string; transferId: string })
    .filter(({ kind }) => kind === 'execution');

/** A held transfer that nobody holds, on the partition of a real one, and its approval, sealed as well as a stranger can. */
async function sendMadeUp(like: CaseDocument): Promise<string> {
  const { log, codec } = pipeline.connections;
  await codec.load(['review.decided']);
  const { hold, ...event } = toAnotherAccount(like.held);
  const transferId = `made-up-${like.transferId}`.slice(0, 35);
  const forged = heldOf({ ...event, envelope: { ...event.envelope, transferId } }, hold, {
    ttlMs: hold.expiresAt - event.envelope.occurredAt,
    stages: STRANGER,
  });
  const { holdId, evidenceHash } = forged.hold;
  const made = { ...like, _id: holdId, transferId, evidenceHash, held: forged };
  const verdict = sealedDecision(STRANGER, forged.hold, { ...decision(like, 'APPROVE'), justification: 'x' });
  const command = toCommand({ ...made, decision: verdict }, deterministicId(`review.decided\n${holdId}`));
  const writer = await log.writer('stranger');
  // The record itself bears the right seal, as if the keys of operators were stolen: what it carries is no stage's.
  await writer.send([
    sealed(pipeline.connections.config.keys, {
      topic: 'review.decided',
      partition: command.command.homePartition,
      key: transferId,
      value: codec.encode('review.decided', command),
      headers: {
        [HEADER.eventId]: command.command.commandId,
        [HEADER.eventType]: 'ReviewDecided',
        [HEADER.originPosition]: forged.instruction.originPosition,
      },
    }),
  ]);
  await writer.close();
  return transferId;
}

describe('held transfers', () => {
  it('are paid on nothing but what was held, decided by a person', async () => {
    const [good] = await pipeline.feed(6, 5, { mix: ALL_HELD });
    await pipeline.settled();
    const cases = await until(async () => {
      const open = await store.list({ state: 'OPEN', limit: 10 });
      return open.length === 5 ? open : undefined;
    });
    const [altered, rehashed, inserted, turned, honest] = cases as [
      CaseDocument,
      CaseDocument,
      CaseDocument,
      CaseDocument,
      CaseDocument,
    ];

    // A command with a transfer that nobody holds.
    const madeUp = await sendMadeUp(honest);

    // The case is changed, then approved with the hash of before.
    await change(altered, { held: toAnotherAccount(altered.held) });
    const approve = (id: string, hash: string) =>
      corridor(
        'cases',
        'decide',
        id,
        '--approve',
        '--code',
        'OTHER_NAME',
        '--reason',
        'checked',
        '--evidence',
        hash,
        '--by',
        'amara',
      );
    expect(approve(altered._id, altered.evidenceHash).stderr).toContain('CASE_ALTERED');
    expect(corridor('cases', 'show', altered._id)).toMatchObject({ status: 1, stdout: '' });
    expect(corridor('cases', 'list').stdout).toMatch(new RegExp(`ALTERED.*${altered._id}`));
    // And by somebody who writes the sealed approval past the command.
    await change(altered, { state: 'DECIDED', decision: decision(altered, 'APPROVE'), commandPending: true });

    // The case and its hash are changed: the operator cannot know. The seal of the stage is over another hash.
    const other = toAnotherAccount(rehashed.held);
    const evidenceHash = contentHashOf(other);
    await change(rehashed, { held: { ...other, hold: { ...other.hold, evidenceHash } }, evidenceHash });
    expect(approve(rehashed._id, evidenceHash).status).toBe(0);

    // A decision is written into the database, and one is turned round.
    const unsealed = { ...decision(inserted, 'APPROVE'), seal: null };
    await change(inserted, { state: 'DECIDED', decision: unsealed, commandPending: true });
    const reversed = { ...decision(turned, 'REJECT'), decision: 'APPROVE' };
    await change(turned, { state: 'DECIDED', decision: reversed, commandPending: true });
    expect(corridor('cases', 'holds').stdout).toMatch(new RegExp(`${inserted._id}.*NOT SEALED`));

    // A person is no lapse of a hold.
    const asExpiry = [
      '--code',
      'TRUE_MATCH',
      '--reason',
      'x',
      '--evidence',
      honest.evidenceHash,
      '--by',
      'Hold-Expiry',
    ];
    expect(corridor('cases', 'decide', honest._id, '--reject', ...asExpiry).stderr).toContain('PERSON_INVALID');

    await until(() => (logged('CASE_ALTERED') > 0 && logged('DECISION_NOT_SEALED') > 1 ? true : undefined));
    await until(() => (logged('HOLD_NOT_SEALED') > 0 ? true : undefined));

    // What was really held goes on, after all of these, on the partition of what was made up.
    expect(approve(honest._id, honest.evidenceHash).status).toBe(0);
    await until(() => executed().find(({ transferId }) => transferId === honest.transferId));
    expect(
      executed()
        .map(({ transferId }) => transferId)
        .sort(),
    ).toEqual([good!.account, honest.transferId].sort());
    const steps = (id: string) => corridor('transfer', id, '--json');
    for (const held of [altered, rehashed, inserted, turned]) {
      expect((JSON.parse(steps(held.transferId).stdout) as { state: string }[]).at(-1)?.state).toBe('HELD');
    }
    expect(steps(madeUp).status).toBe(1);

    // Written again from the log: a decision that was made on just what is held stays, any other is to be made.
    const restore = (...args: string[]) => corridor('cases', 'restore', ...args, '--by', 'bela', '--reason', 'altered');
    expect(restore(honest._id).stderr).toContain('HOLD_RESUMED');
    expect(restore(altered._id)).toMatchObject({ status: 0, stderr: '' });
    await until(() => executed().find(({ transferId }) => transferId === altered.transferId));
    await pipeline.connections
      .db()
      .then((db) => db.collection<{ _id: string }>(CASES).deleteOne({ _id: rehashed._id }));
    expect(restore('--transfer', rehashed.transferId).stdout).toContain('is OPEN again');
    expect(approve(rehashed._id, rehashed.evidenceHash).status).toBe(0);
    await until(() => executed().find(({ transferId }) => transferId === rehashed.transferId));
    expect(executed()).toHaveLength(4);
  }, 300_000);
});
