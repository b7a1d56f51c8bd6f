// The clock that all programs of one installation share.
import type { Db } from 'mongodb';
import { guarded } from './fault.ts';

/** What time it is by the primary: a process whose clock is wrong ends nothing of others, and lets nothing through that is over. */
export const primaryClock = (db: Db) => (): Promise<Date> =>
  guarded(async () => {
    const { localTime } = await db.admin().command({ hello: 1 });
    return localTime as Date;
  });
