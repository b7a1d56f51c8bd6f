// Collects what is wrong with an intent. Details name fields and rules, never the values of people.

import { type ReasonCode, reason } from '../../domain/reasons.ts';
import { isLongerThan, isPlainText } from '../../domain/text/text.ts';
import type { Reason } from '../../schemas/types.generated.ts';

export class Violations {
  readonly reasons: Reason[] = [];

  add(code: ReasonCode, detail: string): void {
    this.reasons.push(reason(code, detail));
  }

  /** Adds the fault unless the rule holds; answers whether it holds. */
  unless(holds: boolean, code: ReasonCode, detail: string): boolean {
    if (!holds) this.add(code, detail);
    return holds;
  }

  /** A text that must be there and must not be too long. */
  text(value: string, field: string, maxLength: number, missing: ReasonCode = 'CH21'): boolean {
    if (!this.unless(value.trim() !== '', missing, `${field} is empty`)) return false;
    return this.optionalText(value, field, maxLength);
  }

  optionalText(value: string | null, field: string, maxLength: number): boolean {
    if (value === null) return true;
    const fits = !isLongerThan(value, maxLength);
    if (!this.unless(fits, 'CH16', `${field} has more than ${maxLength} characters`)) return false;
    return this.unless(isPlainText(value), 'CH16', `${field} holds control or hidden characters`);
  }
}
