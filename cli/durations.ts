// Durations as options give them: 30m, 4h, 2d.
import { InvalidArgumentError } from 'commander';

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration in ms. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('it must be a number with m, h or d, such as 4h');
  return Number(number) * UNITS_MS[unit]!;
}
