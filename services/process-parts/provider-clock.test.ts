import { expect, it } from 'vitest';
import { providerClock } from './provider-clock.ts';

it('a wrong clock of the provider is in health and metrics until an answer bears a right one, or long after the last', () => {
  let now = 0;
  const logged: string[] = [];
  const seconds: number[] = [];
  const clock = providerClock({
    provider: 'p',
    topic: 't',
    monotonic: () => now,
    onDoubt: (detail) => logged.push(detail),
    onAhead: (ahead) => seconds.push(ahead),
  });
  expect(clock.troubles()).toEqual([]);
  clock.observed(19_800_000, true);
  clock.observed(19_800_000, true);
  expect(clock.troubles()).toMatchObject([{ dependency: 'provider', code: 'PROVIDER_CLOCK' }]);
  expect(logged).toEqual([expect.stringContaining('19800 s ahead of ours')]);
  clock.observed(20, false);
  expect(clock.troubles()).toEqual([]);
  clock.observed(-7_200_000, true);
  expect(logged[1]).toContain('7200 s behind ours');
  now += 90_001;
  expect(clock.troubles()).toEqual([]);
  expect(seconds).toEqual([19_800, 19_800, 0.02, -7_200]);
});
