// What is held is what was sealed, and what resumed it was decided by somebody who may.

import { HOLD_EXPIRY } from '../../domain/people/identities.ts';
import { contentHashOf } from '../../processors/hold-content.ts';
import { type HoldKeys, isReviewSealed, isSealedAsHeld } from '../../processors/holds.ts';
import type { ReviewDecided, TransferHeld } from '../../schemas/types.generated.ts';
import { isProven } from '../../sinks/cases/check.ts';
import { type Check, ofTopic, type Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import { type AnySeen, positionOf, type Transfer } from '../transfer.ts';

const NAME = 'holds';
type Say = (code: FindingCode, detail: string) => void;

export const holds: Check = {
  name: NAME,
  proves:
    'Every hold is bound to all that its event says and bears the seal of a stage; every decision bears the seal of a program for operators, unless its hold lapsed.',
  async batch(batch, run) {
    const { keys } = run.sources;
    const sayOf = ({ topic, record }: AnySeen, transferId: string): Say => {
      const position = positionOf(topic, record.partition, record.offset);
      return (code, detail) => run.findings.add(NAME, { code, transferId, position, detail });
    };
    for (const seen of ofTopic(batch, 'transfer.held')) {
      held(seen.value, keys, sayOf(seen as AnySeen, seen.value.envelope.transferId));
    }
    for (const seen of ofTopic(batch, 'review.decided')) {
      decided(seen.value, keys, sayOf(seen as AnySeen, seen.value.command.transferId));
    }
  },
  async transfers(batch, run) {
    if (run.sources.keys === undefined || run.sources.stores === undefined) return;
    await storedDecisions(batch, run);
  },
};

function held(value: TransferHeld, keys: HoldKeys | undefined, say: Say): void {
  const { holdId, evidenceHash } = value.hold;
  if (contentHashOf(value) !== evidenceHash) {
    say('HOLD_HASH_WRONG', `the evidence hash of hold ${holdId} is not that of what is held`);
  }
  if (keys && !isSealedAsHeld(keys.stages, value)) {
    say('HOLD_NOT_SEALED', `hold ${holdId} does not bear the seal of a stage: it was made by somebody else`);
  }
}

function decided(value: ReviewDecided, keys: HoldKeys | undefined, say: Say): void {
  held(value.held, keys, say);
  const { decision, command, holdId } = value;
  if (command.issuedBy === HOLD_EXPIRY) {
    if (decision !== 'REJECT') say('DECISION_NOT_SEALED', `the lapse of hold ${holdId} is reported as ${decision}`);
    return;
  }
  if (keys && !isReviewSealed(keys.operators, value)) {
    say('DECISION_NOT_SEALED', `the decision on hold ${holdId} was not made through a program for operators`);
  }
}

async function storedDecisions(batch: readonly Transfer[], run: Run): Promise<void> {
  const ids = batch.flatMap(({ holds }) => holds.map(({ holdId }) => holdId));
  if (ids.length === 0) return;
  const stored = new Map((await run.sources.stores!.cases.find(ids)).map((document) => [document._id, document]));
  const { operators } = run.sources.keys!;
  for (const { id: transferId, holds } of batch) {
    for (const { holdId } of holds) {
      const found = stored.get(holdId);
      if (found === undefined || isProven(found, operators)) continue;
      const detail = `the decision in the case of hold ${holdId} was not made through a program for operators`;
      run.findings.add(NAME, { code: 'DECISION_NOT_SEALED', transferId, detail });
    }
  }
}
