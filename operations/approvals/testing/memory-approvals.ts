// Approvals in memory, with the compare-and-sets of the real store.

import type { ApprovalsBySubject } from '../../skips/ports.ts';
import type { Approval } from '../approval.ts';
import type { Approvals } from '../ports.ts';

/** @param clock of the store; by default it has none of its own */
export function memoryApprovals(
  clock: (own: Date) => Date = (own) => own,
): Approvals & ApprovalsBySubject & { readonly all: Map<string, Approval> } {
  const all = new Map<string, Approval>();
  const change = (id: string, isSo: (known: Approval) => boolean, to: Partial<Approval>): boolean => {
    const known = all.get(id);
    if (!known || !isSo(known)) return false;
    all.set(id, { ...known, ...to });
    return true;
  };
  return {
    all,
    clock: async (own) => clock(own),
    async insert(approval) {
      if (all.has(approval._id)) return false;
      all.set(approval._id, approval);
      return true;
    },
    find: async (id) => all.get(id),
    list: async (states, limit) =>
      [...all.values()]
        .filter(({ state }) => states.includes(state))
        .toSorted((a, b) => b.askedAt.getTime() - a.askedAt.getTime())
        .slice(0, limit),
    ofSubject: async (act, subject, limit) =>
      [...all.values()].filter((each) => each.act === act && each.subject === subject).slice(0, limit),
    ofAct: async (act, state, limit) =>
      [...all.values()].filter((each) => each.act === act && each.state === state).slice(0, limit),
    toDo: async (act, limit, except) =>
      [...all.values()]
        .filter((each) => each.act === act && each.state === 'APPROVED' && !except.includes(each._id))
        .toSorted((a, b) => a.askedAt.getTime() - b.askedAt.getTime())
        .slice(0, limit),
    underGlass: async (glass) => [...all.values()].filter(({ decided }) => decided?.glass === glass),
    decide: async ({ _id, hash, askedBy }, state, decided) =>
      change(
        _id,
        (known) =>
          known.state === 'WAITING' &&
          known.hash === hash &&
          known.askedBy === askedBy &&
          known.expiresAt.getTime() > decided.at.getTime(),
        { state, decided },
      ),
    begin: async (id, begunAt) =>
      change(id, ({ state, begunAt: begun, expiresAt }) => state === 'APPROVED' && !begun && expiresAt > begunAt, {
        begunAt,
      }) || change(id, ({ state, begunAt: begun }) => state === 'APPROVED' && Boolean(begun), {}),
    end: async (id, from, state, ended) =>
      change(id, (known) => from.includes(known.state) && (state !== 'WITHDRAWN' || !known.begunAt), { state, ended }),
    async expire(at) {
      const over = [...all.values()].filter(
        ({ state, begunAt, expiresAt }) => (state === 'WAITING' || state === 'APPROVED') && !begunAt && expiresAt <= at,
      );
      for (const { _id } of over) change(_id, () => true, { state: 'EXPIRED', ended: { at, detail: 'too late' } });
      return over.length;
    },
  };
}
