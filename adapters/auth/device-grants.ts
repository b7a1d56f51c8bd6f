// What the local issuer keeps of those who sign in: codes that wait for an approval, and refresh tokens. In memory alone, for
// development; by RFC 8628 and, for refresh tokens that are used twice, RFC 9700.
import type { Role } from '../../operations/access/table.ts';

export interface Identity {
  readonly subject: string;
  readonly roles: readonly Role[];
}

export interface DeviceGrantTerms {
  readonly clock: () => number;
  /** Of secrets and of codes that persons type. */
  readonly secret: () => string;
  readonly userCode: () => string;
  /** How long a code waits, s. */
  readonly codeLifeS: number;
  /** Between two questions of a client, s. */
  readonly intervalS: number;
}

interface Device {
  readonly userCode: string;
  readonly clientId: string;
  /** ms since 1970 */
  readonly endsAt: number;
  intervalMs: number;
  askedAt: number | undefined;
  verdict: Identity | 'DENIED' | undefined;
}

interface Family {
  readonly identity: Identity;
  readonly clientId: string;
  /** The only one that is good. */
  current: string;
}

export type Refused = 'authorization_pending' | 'slow_down' | 'access_denied' | 'expired_token' | 'invalid_grant';
export type Answer = { readonly refused: Refused } | { readonly identity: Identity; readonly refreshToken: string };

const MAX_WAITING = 100;
const MAX_LOGINS = 1_000;
/** RFC 8628, 3.5 */
const SLOW_DOWN_MS = 5_000;

export class DeviceGrants {
  readonly #terms: DeviceGrantTerms;
  readonly #devices = new Map<string, Device>();
  /** By each refresh token that was ever given out in it. */
  readonly #families = new Map<string, Family>();

  constructor(terms: DeviceGrantTerms) {
    this.#terms = terms;
  }

  begin(clientId: string): { readonly deviceCode: string; readonly userCode: string } {
    const { clock, secret, userCode: code, codeLifeS, intervalS } = this.#terms;
    trim(this.#devices, MAX_WAITING);
    const [deviceCode, userCode] = [secret(), code()];
    this.#devices.set(deviceCode, {
      ...{ userCode, clientId, endsAt: clock() + codeLifeS * 1_000, intervalMs: intervalS * 1_000 },
      ...{ askedAt: undefined, verdict: undefined },
    });
    return { deviceCode, userCode };
  }

  /** By a person at the page. False: no such code waits. */
  decide(typed: string, verdict: Identity | 'DENIED'): boolean {
    const device = [...this.#devices.values()].find(({ userCode }) => plain(userCode) === plain(typed));
    if (!device || device.verdict !== undefined || device.endsAt <= this.#terms.clock()) return false;
    device.verdict = verdict;
    return true;
  }

  /** By the client that waits. A code is good for one token. */
  poll(deviceCode: string, clientId: string): Answer {
    const device = this.#devices.get(deviceCode);
    if (!device || device.clientId !== clientId) return { refused: 'invalid_grant' };
    const now = this.#terms.clock();
    if (device.endsAt <= now) return this.#ended(deviceCode, 'expired_token');
    if (device.askedAt !== undefined && now - device.askedAt < device.intervalMs) {
      device.askedAt = now;
      device.intervalMs += SLOW_DOWN_MS;
      return { refused: 'slow_down' };
    }
    device.askedAt = now;
    const { verdict } = device;
    if (verdict === undefined) return { refused: 'authorization_pending' };
    if (verdict === 'DENIED') return this.#ended(deviceCode, 'access_denied');
    this.#devices.delete(deviceCode);
    return this.#given({ identity: verdict, clientId, current: '' });
  }

  /** Each is good once; one that comes again ends the login, since one of two who have it stole it. */
  refresh(token: string, clientId: string): Answer {
    const family = this.#families.get(token);
    if (!family || family.clientId !== clientId) return { refused: 'invalid_grant' };
    if (family.current !== token) {
      this.revoke(token);
      return { refused: 'invalid_grant' };
    }
    return this.#given(family);
  }

  revoke(token: string): void {
    const family = this.#families.get(token);
    for (const [each, of] of this.#families) if (of === family) this.#families.delete(each);
  }

  #given(family: Family): Answer {
    trim(this.#families, MAX_LOGINS);
    family.current = this.#terms.secret();
    this.#families.set(family.current, family);
    return { identity: family.identity, refreshToken: family.current };
  }

  #ended(deviceCode: string, refused: Refused): Answer {
    this.#devices.delete(deviceCode);
    return { refused };
  }
}

/** However a person types it. */
const plain = (code: string): string => code.toUpperCase().replace(/[^A-Z]/g, '');

/** The oldest go. */
function trim(of: Map<string, unknown>, most: number): void {
  for (const key of of.keys()) {
    if (of.size < most) return;
    of.delete(key);
  }
}
