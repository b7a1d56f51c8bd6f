// All approvals of an act that are to be done, page by page: none hides behind those that cannot be done yet.
import type { ApprovalsBySubject } from '../skips/ports.ts';
import type { Act } from './acts.ts';
import type { Approval } from './approval.ts';

const PAGE = 50;
/** So many that are named as not to be read again; behind them nothing is looked at in this look. */
const MAX_PASSED_OVER = 5_000;

/**
 * The first asked for first. What ends meanwhile, or comes, is met or not; what was there all the time is met once.
 * @param except ids that are passed over from the start
 */
export async function* allToDo(
  store: Pick<ApprovalsBySubject, 'toDo'>,
  act: Act,
  except: Iterable<string> = [],
): AsyncIterable<readonly Approval[]> {
  const met = new Set(except);
  while (met.size < MAX_PASSED_OVER) {
    const page = await store.toDo(act, PAGE, [...met]);
    if (page.length === 0) return;
    for (const { _id } of page) met.add(_id);
    yield page;
    if (page.length < PAGE) return;
  }
}
