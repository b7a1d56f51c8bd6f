// Requests are counted per subject, in fixed windows, in each process; answers tell what is left (RateLimit fields for HTTP,
// draft-ietf-httpapi-ratelimit-headers-11).

const WINDOW_S = 60;
/** Subjects counted at once. Who is beyond them shares one counter: nobody fills the memory with made-up names. */
const MAX_SUBJECTS = 10_000;

export interface Quota {
  /** False: the request is one too many. */
  readonly isLeft: boolean;
  /** Seconds until the window ends. */
  readonly resetS: number;
  readonly fields: Readonly<Record<string, string>>;
}

export interface RateLimiter {
  /** Counts requests of this subject: one, where nothing else is said. */
  count(subject: string, requests?: number): Quota;
}

/** At most `quota` requests of a subject within a minute. `clock`: ms, monotonic. */
export function rateLimiter(policy: string, quota: number, clock: () => number = () => performance.now()): RateLimiter {
  let counts = new Map<string, number>();
  let windowEndsAt = clock() + WINDOW_S * 1_000;
  return {
    count(subject, requests = 1) {
      const now = clock();
      if (now >= windowEndsAt) {
        counts = new Map();
        windowEndsAt = now + WINDOW_S * 1_000;
      }
      const key = counts.has(subject) || counts.size < MAX_SUBJECTS ? subject : '';
      const used = (counts.get(key) ?? 0) + requests;
      counts.set(key, used);
      const resetS = Math.max(1, Math.ceil((windowEndsAt - now) / 1_000));
      const isLeft = used <= quota;
      return {
        isLeft,
        resetS,
        fields: {
          'ratelimit-policy': `"${policy}";q=${quota};w=${WINDOW_S}`,
          ratelimit: `"${policy}";r=${Math.max(0, quota - used)};t=${resetS}`,
          ...(isLeft ? {} : { 'retry-after': String(resetS) }),
        },
      };
    },
  };
}
