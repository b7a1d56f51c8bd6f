// The members of the harness that need more than a kill: each in a file of its own, with what it does, what must come of it
// and how the judge knows. Here they are put into the schedule, and carried out.
import type { Random } from '../../../samples/random.ts';
import type { Done } from '../injected.ts';
import type { Profile } from '../profile.ts';
import { type BombFault, bombFault, explode } from './bad-batches.ts';
import { FORGERIES, type ForgeryFault, forge } from './forgeries.ts';
import { comeLate, type LateSchemaFault, lateSchemaFault, type Replaying } from './late-schema.ts';
import { type ClockFault, clockFault, tellWrongTime } from './provider-clock.ts';
import { type RateSources, type RatesFault, ratesFault } from './rate-sources.ts';
import { type LimitsTamperFault, limitsTamperFault, tamperWithLimits } from './tampered-limits.ts';
import { type Forbidden, type PayoutTamperFault, payoutTamperFault, tamperWithPayouts } from './tampered-payouts.ts';

export type MemberFault =
  | ClockFault
  | ForgeryFault
  | PayoutTamperFault
  | LimitsTamperFault
  | BombFault
  | LateSchemaFault
  | RatesFault;

const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, i) => make(i));

export function memberFaults(profile: Profile, random: Random): MemberFault[] {
  return [
    ...times(profile.providerClocks, (index) => clockFault(index, random)),
    ...times(profile.forgeries, (index): ForgeryFault => {
      return { kind: 'forgery', how: FORGERIES[index % FORGERIES.length]! };
    }),
    ...times(profile.payoutTamperings, () => payoutTamperFault(random)),
    ...times(profile.limitsTamperings, () => limitsTamperFault()),
    ...times(profile.bombs, () => bombFault(random)),
    ...times(profile.ratesFaults, (index) => ratesFault(index, random)),
    ...(profile.lateIntents > 0
      ? (['hand', 'desk'] as const).map((by) => lateSchemaFault(profile.lateIntents / 2, by, random))
      : []),
  ];
}

export interface Members extends Replaying {
  readonly rates: RateSources;
  /** Under which names the provider must never have paid. */
  readonly forbidden: Forbidden;
}

export async function carryOut(members: Members, fault: MemberFault): Promise<Done> {
  switch (fault.kind) {
    case 'provider-clock':
      return tellWrongTime(members.world, fault);
    case 'forgery':
      return forge(members, fault);
    case 'payout-tamper':
      return tamperWithPayouts(members.world, fault, members.forbidden);
    case 'limits-tamper':
      return tamperWithLimits(members.world, fault);
    case 'bomb':
      return explode(members.world, fault);
    case 'rates':
      return members.rates.fail(fault);
    case 'late-schema':
      return comeLate(members, fault);
  }
}

/** Faults on one target come one after another; undefined: this one is in nobody's way. */
export function memberTarget(fault: MemberFault): string | undefined {
  if (fault.kind === 'late-schema') return 'late schemas';
  if (fault.kind === 'rates') return 'sources of rates';
  return fault.kind === 'provider-clock' ? 'the provider' : undefined;
}

/** One line for a person. */
export function describeMember(fault: MemberFault): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  switch (fault.kind) {
    case 'provider-clock':
      return `clock of the provider: ${fault.how}, wrong by ${(fault.wrongByMs / 3_600_000).toFixed(1)} h, for ${seconds(fault.forMs)}`;
    case 'forgery':
      return `forge records: ${fault.how}`;
    case 'payout-tamper':
      return `tamper with ${fault.payouts} payouts for ${seconds(fault.forMs)}`;
    case 'limits-tamper':
      return `tell limits of ${fault.transfers} transfers what is not so`;
    case 'bomb':
      return `send a batch that unpacks to ${fault.unpackedMb} MB`;
    case 'rates':
      return `rates of ${fault.sources.join(' and ')}: ${fault.how} for ${seconds(fault.forMs)}`;
    case 'late-schema':
      return `feed ${fault.intents} intents before their schema, and replay them ${fault.by === 'desk' ? 'over HTTP' : 'by hand'}`;
  }
}
