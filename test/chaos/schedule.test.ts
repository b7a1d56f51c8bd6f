import { describe, expect, it } from 'vitest';
import { WEBHOOK_FAILPOINTS } from '../../ports/webhook-failpoints.ts';
import { FAILPOINTS } from '../../runtime/failpoints.ts';
import { NEGATIVE_CONTROLS } from './negative.ts';
import { PROFILES, type Profile } from './profile.ts';
import { describe as inWords, makeSchedule, type Step } from './schedule.ts';

const faultsIn = (steps: readonly Step[]) => steps.flatMap((step) => ('fault' in step ? [step.fault] : []));
const fedIn = (steps: readonly Step[]) => steps.reduce((sum, step) => sum + ('feed' in step ? step.feed : 0), 0);

describe('a schedule', () => {
  it('is the same for the same seed, and another for another', () => {
    const make = (seed: number) => makeSchedule(PROFILES.full, seed, 24_000);
    expect(make(7)).toEqual(make(7));
    expect(make(7).steps).not.toEqual(make(8).steps);
  });

  it.each(Object.values(PROFILES) as Profile[])(
    '$name holds every fault of its profile, and feeds every record',
    (profile) => {
      const { steps } = makeSchedule(profile, 3, 9_999);
      const faults = faultsIn(steps);
      const count = (kind: string, matches: (fault: never) => boolean = () => true) =>
        faults.filter((fault) => fault.kind === kind && matches(fault as never)).length;
      expect(count('kill')).toBe(profile.kills + profile.killsAtFailpoints + profile.apiKills + profile.webhookKills);
      expect(count('zombie')).toBe(profile.zombies + profile.zombiesAtFailpoints);
      expect(count('server-kill', ({ server }: { server: string }) => server.startsWith('kafka'))).toBe(
        profile.brokerRestarts,
      );
      expect(count('network')).toBe(profile.networkFaults);
      expect(count('redis-refusal')).toBe(profile.redisRefusals);
      expect(count('redis-wipe')).toBe(profile.redisWipes);
      expect(count('provider-clock')).toBe(profile.providerClocks);
      expect(count('forgery')).toBe(profile.forgeries);
      expect(count('payout-tamper')).toBe(profile.payoutTamperings);
      expect(count('limits-tamper')).toBe(profile.limitsTamperings);
      expect(count('bomb')).toBe(profile.bombs);
      expect(count('late-schema')).toBe(profile.lateIntents > 0 ? 2 : 0);
      expect(fedIn(steps)).toBe(9_999);
      expect(Math.max(...steps.map(({ atMs }) => atMs))).toBeLessThan(profile.faultsMs + 3_000);
    },
  );

  it('names only failpoints that there are', () => {
    for (const control of [undefined, ...NEGATIVE_CONTROLS]) {
      const { steps } = makeSchedule(PROFILES.full, 5, 1_000, control?.faults);
      const named = faultsIn(steps).flatMap((fault) =>
        'failpoint' in fault && fault.failpoint ? [fault.failpoint] : [],
      );
      const all: readonly string[] = [...FAILPOINTS, ...WEBHOOK_FAILPOINTS];
      expect(named.filter((name) => !all.includes(name))).toEqual([]);
    }
  });

  it('the full profile reaches what it promises', () => {
    const { full } = PROFILES;
    expect(full.transfers).toBeGreaterThanOrEqual(20_000);
    expect(full.kills + full.killsAtFailpoints).toBeGreaterThanOrEqual(50);
    expect(full.zombies + full.zombiesAtFailpoints).toBeGreaterThanOrEqual(5);
    expect([full.brokerRestarts, full.mongoKills, full.redisLimitsKills, full.redisWipes]).toEqual([5, 2, 2, 1]);
    expect(full.networkFaults).toBeGreaterThanOrEqual(20);
    // Where a salvo may meet topics that hold nothing yet, or a clock nobody who asks, there are more than are promised.
    expect(full.forgeries * 10).toBeGreaterThanOrEqual(full.least['forgeries']!);
    expect(full.providerClocks).toBeGreaterThan(full.least['providerClocks']!);
    expect(full.bombs).toBeGreaterThan(full.least['bombs']!);
    expect(full.lateIntents).toBeGreaterThanOrEqual(full.least['replays']!);
    for (const share of ['duplicates', 'outOfOrder', 'malformed'] as const) {
      expect((full[share] * full.transfers) / 1_000).toBeGreaterThanOrEqual(full.least[share]!);
    }
  });

  it('only a run that is long enough promises every failpoint', () => {
    const promises = Object.values(PROFILES as Record<string, Profile>).filter((profile) => profile.allFailpoints);
    expect(promises.map(({ name }) => name)).toEqual(['ci', 'full', 'soak']);
  });

  it('can be read by a person', () => {
    for (const fault of faultsIn(makeSchedule(PROFILES.soak, 1, 1_000).steps)) expect(inWords(fault)).toMatch(/\w+ /);
  });
});
