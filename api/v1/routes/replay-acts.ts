// What people do with replays: select letters, have them tried, ask a second person, and control what was let through. The
// server sends; nothing is sent by a request.
import { z } from 'zod';
import type { DiscardReason } from '../../../domain/reasons.ts';
import { permission } from '../../../operations/access/principal.ts';
import { termsOfAct } from '../../../operations/approvals/acts.ts';
import type { LetterFilter } from '../../../operations/dead-letters/ports.ts';
import {
  cancelReplay,
  pauseReplay,
  resumeReplay,
  slowReplay,
  wantDryRun,
} from '../../../operations/dead-letters/replays/control.ts';
import {
  askForReplay,
  DEFAULT_TERMS,
  findReplay,
  freezeReplay,
  MAX_LETTERS,
  MAX_RATE_PER_SECOND,
} from '../../../operations/dead-letters/replays/prepare.ts';
import { actOf, type ReplayDocument } from '../../../operations/dead-letters/replays/replay.ts';
import { isSamePerson } from '../../../operations/four-eyes/second-person.ts';
import { CodedError, isCoded } from '../../../ports/fault.ts';
import { checkSameRequest, idFromKey, keyField, requestHash } from '../../http/idempotency.ts';
import { asSeen } from '../../http/precondition.ts';
import { type Asked, answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { instant } from '../dto.ts';
import { CHANGE_REFUSALS, ifMatch, operatorsOf, reasonText } from '../operators.ts';
import { replayDto, replayEtag, replayOf, replayVersionIn } from '../replay-dto.ts';

/** As the index takes them. */
const MAX_LETTER_IDS = 1_000;
const name = z.string().min(1).max(200);
const { ratePerSecond, canary, maxFailureRatio } = DEFAULT_TERMS;

export const selection = z
  .strictObject({
    groupId: name.optional(),
    letterIds: z.array(name).min(1).max(MAX_LETTER_IDS).optional().describe('These alone.'),
    owner: name.optional(),
    code: name.optional(),
    corridor: name.optional(),
    transferId: name.optional(),
    since: instant.optional().describe('Put aside since then.'),
  })
  .refine((filter) => Object.keys(filter).length > 0, 'must name what is selected')
  .meta({ id: 'LetterSelection', minProperties: 1 });

export const freezing = z
  .strictObject({
    select: selection,
    reason: reasonText,
    ratePerSecond: z.int().min(1).max(MAX_RATE_PER_SECOND).default(ratePerSecond).describe('Letters a second.'),
    canary: z
      .int()
      .min(1)
      .max(MAX_LETTERS)
      .default(canary)
      .describe('So many are sent first, and have to end well before any other is.'),
    maxFailureRatio: z
      .number()
      .min(0)
      .max(0.5)
      .default(maxFailureRatio)
      .describe('Share of new failures, of what was sent, past which it stops by itself.'),
  })
  .meta({ id: 'ReplaySelection' });

const path = z.strictObject({ replayId: z.string().min(1).max(100) });

export const filterOf = ({
  groupId,
  letterIds,
  transferId,
  since,
  owner,
  code,
  corridor,
}: z.output<typeof selection>): LetterFilter => ({
  ...(groupId === undefined ? {} : { group: groupId }),
  ...(letterIds === undefined ? {} : { ids: letterIds }),
  ...(transferId === undefined ? {} : { transferId }),
  ...(since === undefined ? {} : { since: new Date(since) }),
  ...(owner === undefined ? {} : { owner }),
  ...(code === undefined ? {} : { code }),
  ...(corridor === undefined ? {} : { corridor }),
});

export const FREEZE_REFUSALS = [
  ...([
    'IDEMPOTENCY_KEY_INVALID',
    'IDEMPOTENCY_KEY_REUSED',
    'REPLAY_EMPTY',
    'REPLAY_TERMS_INVALID',
    'SELECTIONS_HELD',
  ] as const),
  ...(['REPLAY_MOVED', 'MONGO_UNAVAILABLE'] as const),
] as const;

const freeze = route({
  name: 'freezeReplay',
  method: 'POST',
  url: '/v1/replays',
  action: 'replays.run',
  tag: 'Dead letters',
  summary: 'Select parked letters and freeze them for a replay',
  description:
    'Nothing is sent by this: the letters are taken, so that no other replay can send them, and tried (isTrying) by the process that would send them. All are of one owner: that of the first, where the selection names none.',
  headers: { 'idempotency-key': keyField },
  body: freezing,
  answers: { 201: replayDto },
  refusals: FREEZE_REFUSALS,
  handle: (asked) => frozen(asked, asked.body),
});

/** Selects and freezes what is asked for, once under its key. */
export async function frozen(
  { parts, principal, body, header }: Asked<unknown, unknown, unknown>,
  { select, reason, ...terms }: z.output<typeof freezing>,
  discard?: DiscardReason,
) {
  const { replays, letters } = operatorsOf(parts);
  const id = idFromKey(discard ? 'discard' : 'replay', principal.subject, header('idempotency-key'));
  const request = requestHash(body);
  const known = await replays.replays.find(id);
  if (known) return made(known, request, true);
  const filter = filterOf(select);
  const owner = select.owner ?? (await letters.list({ ...filter, states: ['PARKED'] }, 1))[0]?.owner;
  if (owner === undefined) throw new CodedError('REPLAY_EMPTY', 'no parked letter is selected');
  const at = new Date(parts.clock());
  const asked = { id, owner, filter, terms, by: principal.subject, reason, at, request, ...(discard && { discard }) };
  try {
    return made(await freezeReplay(replays, { ...asked, dryRunBy: 'runner' }), request, false);
  } catch (error) {
    // The same request twice at once: the other one makes it.
    const other = isCoded(error) && error.code === 'REPLAY_MOVED' ? await replays.replays.find(id) : undefined;
    if (other) return made(other, request, true);
    throw error;
  }
}

function made(replay: ReplayDocument, request: string, isReplayed: boolean) {
  checkSameRequest(replay.request, request);
  // As it was refused the first time.
  if (replay.halted?.code === 'REPLAY_EMPTY') throw new CodedError('REPLAY_EMPTY', replay.halted.detail);
  return answer(201, replayOf(replay), {
    location: `/v1/replays/${replay._id}`,
    etag: replayEtag(replay),
    ...(isReplayed ? { 'idempotent-replayed': 'true' } : {}),
  });
}

type Change = Asked<z.output<typeof path>, unknown, unknown>;

/** The replays as the caller has seen the one that is changed, and who acts. */
function seen({ parts, path: { replayId: id }, header, principal }: Change) {
  const { replays, ...rest } = operatorsOf(parts);
  const stores = { ...replays, replays: asSeen(replays.replays, replayVersionIn(header('if-match')), replayEtag) };
  return { ...rest, stores, act: { id, by: principal.subject, at: new Date(parts.clock()) } };
}

async function afterwards({ parts, path: { replayId } }: Change) {
  const replay = await findReplay(parts.replays, replayId);
  return answer(200, replayOf(replay), { etag: replayEtag(replay) });
}

const REFUSALS = [...CHANGE_REFUSALS, 'REPLAY_UNKNOWN', 'REPLAY_MOVED'] as const;

/** What every change of one replay has in common. */
const CHANGES_ONE = { method: 'POST', action: 'replays.run', tag: 'Dead letters', path, headers: ifMatch } as const;

/** A change without a body. */
const act = (
  facts: { readonly name: string; readonly url: `/v1/${string}`; readonly summary: string },
  change: (asked: Change) => Promise<void>,
) =>
  route({
    ...CHANGES_ONE,
    ...facts,
    answers: { 200: replayDto },
    refusals: REFUSALS,
    async handle(asked) {
      await change(asked);
      return afterwards(asked);
    },
  });

const tryAgain = act(
  { name: 'tryReplay', url: '/v1/replays/:replayId/dry-run', summary: 'Have a frozen replay tried again' },
  async (asked) => {
    const { stores, act: by } = seen(asked);
    await wantDryRun(stores, by);
  },
);

const ask = route({
  ...CHANGES_ONE,
  name: 'askForReplay',
  url: '/v1/replays/:replayId/ask',
  summary: 'Ask a second person to let a tried replay through',
  description:
    'Only who selected the letters asks. What is approved is bound to the letters, the terms, the prediction and what it rests on.',
  answers: { 201: approvalDto },
  refusals: [...REFUSALS, 'DRY_RUN_MISSING', 'MAKER_ONLY', 'APPROVAL_MOVED'],
  async handle(asked) {
    const { stores, act: by, ring } = seen(asked);
    const replay = await findReplay(stores.replays, by.id);
    permission(asked.principal, termsOfAct(actOf(replay)).right);
    // Who asks is who the token says, not who stands in the database.
    if (!isSamePerson(replay.askedBy, by.by))
      throw new CodedError('MAKER_ONLY', `${replay.askedBy} selected these letters: only they can ask for them`);
    const approval = await askForReplay(stores, by, ring);
    const headers = { location: `/v1/approvals/${approval._id}`, etag: approvalEtag(approval) };
    return answer(201, approvalOf(approval, ring), headers);
  },
});

const pause = act(
  { name: 'pauseReplay', url: '/v1/replays/:replayId/pause', summary: 'Send nothing more until it is resumed' },
  async (asked) => {
    const { stores, act: by } = seen(asked);
    await pauseReplay(stores, by);
  },
);

const resume = act(
  { name: 'resumeReplay', url: '/v1/replays/:replayId/resume', summary: 'Go on with what was paused' },
  async (asked) => {
    const { stores, act: by } = seen(asked);
    await resumeReplay(stores, by);
  },
);

const cancel = act(
  {
    name: 'cancelReplay',
    url: '/v1/replays/:replayId/cancel',
    summary: 'End a replay for good: what was not sent is parked again',
  },
  async (asked) => {
    const { stores, act: by } = seen(asked);
    await cancelReplay(stores, by);
  },
);

const slow = route({
  ...CHANGES_ONE,
  name: 'slowReplay',
  url: '/v1/replays/:replayId/slow',
  summary: 'Send slower; a higher rate is another replay, with another approval',
  body: z.strictObject({ ratePerSecond: z.int().min(1).max(MAX_RATE_PER_SECOND) }).meta({ id: 'SlowerRate' }),
  answers: { 200: replayDto },
  refusals: [...REFUSALS, 'RATE_NOT_LOWER'],
  async handle(asked) {
    const { stores, act: by } = seen(asked);
    await slowReplay(stores, { id: by.id, ratePerSecond: asked.body.ratePerSecond });
    return afterwards(asked);
  },
});

export const replayActRoutes: readonly Route[] = [freeze, tryAgain, ask, pause, resume, cancel, slow];
