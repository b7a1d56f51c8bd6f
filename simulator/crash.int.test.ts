import { appendFile } from 'node:fs/promises';
import { Pool } from 'undici';
import { expect, it } from 'vitest';
import { Book } from './book.ts';
import { readLedger, summarise } from './ledger.ts';
import { evolve, type Payout } from './payout.ts';
import { spawnSimulator } from './process.ts';
import { submitBody, temporaryLedger } from './testing/test-support.ts';

const SUBMITS = 2_000;
/** Kill -9 when so many have been answered. */
const KILLED_AT = [400, 900, 1_400];

/** Sends `keys` at once and calls `answered` for each answer; what the kill took away is returned. */
async function submitAll(url: string, keys: readonly string[], answered: (key: string, state: string) => void) {
  const pool = new Pool(url, { connections: 64 });
  const unanswered: string[] = [];
  const one = async (key: string) => {
    try {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      const body = JSON.stringify(submitBody(key.split(':')[0] ?? key, { expiresAt: '2099-01-01T00:00:00Z' }));
      const response = await pool.request({ path: '/v1/payouts', method: 'POST', headers, body });
      const { state } = (await response.body.json()) as { state: string };
      answered(key, state);
    } catch {
      unanswered.push(key);
    }
  };
  await Promise.all(keys.map(one));
  await pool.destroy();
  return unanswered;
}

it('kill -9 amid 2,000 concurrent submits loses no answered execution, and executes none twice', async () => {
  await using folder = await temporaryLedger();
  const { ledgerFile } = folder;
  const answered = new Map<string, string>();
  let keys = Array.from({ length: SUBMITS }, (_, n) => `T${n}:1`);
  for (const killAt of [...KILLED_AT, Number.POSITIVE_INFINITY]) {
    // Paid in the answer, so that an answer claims an execution.
    const simulator = await spawnSimulator({ ledgerFile, delayMs: 0 });
    let killed: Promise<void> | undefined;
    keys = await submitAll(simulator.url, keys, (key, state) => {
      answered.set(key, state);
      if (answered.size >= killAt) killed ??= simulator.kill();
    });
    expect(killed !== undefined).toBe(Number.isFinite(killAt));
    await (killed ?? simulator.kill());

    const { byTransfer, executedTwice } = await summarise(readLedger(ledgerFile));
    for (const [key, state] of answered) {
      expect(state).toBe('PAID');
      expect(byTransfer.get(key.split(':')[0] ?? '')?.executionsByKey.get(key)).toBe(1);
    }
    expect(executedTwice).toEqual([]);
    // Some of these were executed without an answer: the next process must know them again.
    if (killed) expect(keys.length).toBeGreaterThan(0);
    await appendFile(ledgerFile, '{"seq":999999,"at":17');
  }
  expect(keys).toEqual([]);
  expect(answered.size).toBe(SUBMITS);
}, 60_000);

it('the state after a restart is the replayed ledger, and the state before it', async () => {
  await using folder = await temporaryLedger();
  const options = {
    ledgerFile: folder.ledgerFile,
    duplicateProtection: true,
    delayMs: 5,
    returnDelayMs: 5,
    onRecord: () => {},
    onFailure: (error: Error) => {
      throw error;
    },
  };
  const live = await Book.open(options);
  const scenarios = [{ outcome: 'PAY' }, { outcome: 'RETURN', reasonCode: 'AC04' }, { outcome: 'STALL' }] as const;
  for (let n = 0; n < 900; n++) {
    const key = `T${n}:1`;
    if (n % 7 === 0) live.handle(key, { type: 'cancel' });
    const scenario = scenarios[n % 3] ?? scenarios[0];
    const amount = { minor: `${n + 1}`, currency: 'INR' };
    const instruction = { transferId: `T${n}`, endToEndId: `E${n}`, rail: 'IMPS', amount, hash: 'h', scenario };
    live.handle(key, { type: 'submit', instruction: { ...instruction, expiresAt: live.now() + 60_000 } });
    if (n % 100 === 0) await live.writer.durable();
    if (n % 5 === 0) live.handle(key, { type: 'query' });
    if (n % 300 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await live.close('flush');

  const replayed = new Map<string, Payout>();
  for await (const record of readLedger(folder.ledgerFile)) {
    const payout = evolve(replayed.get(record.key), record);
    if (payout) replayed.set(record.key, payout);
  }
  expect(new Map(live.payouts)).toEqual(replayed);
  const reopened = await Book.open(options);
  await reopened.close('abandon');
  expect(new Map(reopened.payouts)).toEqual(replayed);
  expect(reopened.counts).toEqual(live.counts);
});
