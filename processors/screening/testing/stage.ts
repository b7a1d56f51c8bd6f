// The stage over lists in memory, and the transfers that its tests give it.
import { AT, received, transferAccepted, type Wishes } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../../test/kit/memory-claims.ts';
import { type MemoryLists, screenerOver } from '../../../test/kit/memory-screening.ts';
import type { ScreeningInput } from '../decide.ts';
import { createScreening } from '../processor.ts';

export const stageOver = (lists: MemoryLists) =>
  createScreening({ keys: KEYS, screener: screenerOver(lists), holds: memoryHoldClaims(), clock: () => AT });

export const accepted = (of: Wishes = {}): ScreeningInput => received('transfer.accepted', transferAccepted(of));

export const named = (name: string): ScreeningInput => accepted({ debtor: { name, birthDate: null } });
