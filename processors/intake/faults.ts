// Collects what is wrong with an intent. Details name fields and rules, never the values of people.
import { type ReasonCode, reason } from '../../domain/reasons.ts';
import type { Reason } from '../../schemas/types.generated.ts';

export class Faults {
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
    if (!this.unless(value.length <= maxLength, 'CH16', `${field} has more than ${maxLength} characters`)) return false;
    return this.unless(!CONTROL.test(value), 'CH16', `${field} holds control characters`);
  }
}

const CONTROL = /\p{Cc}/u;
