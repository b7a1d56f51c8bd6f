// What `corridor verify` tells of the harness itself: of forgeries and of what somebody tampered with. All the rest is wrong.
import { contractOf } from '../../topics/catalogue.ts';
import type { TopicKind } from '../../topics/contract.ts';
import type { Finding } from '../../verify/report.ts';
import { MARKING, recoveryTopicOf } from '../../verify/topics.ts';
import { forgeryOf } from './members/forgeries.ts';
import type { Forged, ForgedLetter } from './members/forgery-check.ts';
import { TOLD_OF_CASES } from './members/tampered-cases.ts';

export interface Doings {
  readonly forged: readonly Forged[];
  readonly forgedLetters: readonly ForgedLetter[];
  /** Transfers whose case was tampered with. */
  readonly tampered: ReadonlySet<string>;
}

/** A copy is there twice, and its transition, its position and its movements are told once; or those of a copied row twice. */
const TOLD_OF_COPIES = /^(EVENT|LIFECYCLE|POSITION|MONEY)_REPEATED$/;

/** Says of a finding whether it tells of what the harness did. */
export function tellsOf({ forged, forgedLetters, tampered }: Doings): (finding: Finding) => boolean {
  const positions = new Set([...forged, ...forgedLetters].map(({ position }) => position));
  const copied = new Set(forged.filter(({ id }) => forgeryOf(id) === 'copy').map(({ transferId }) => transferId));
  return ({ code, position, transferId }) => {
    if (position !== undefined && positions.has(position)) return true;
    if (transferId === undefined) return false;
    return (
      (copied.has(transferId) && TOLD_OF_COPIES.test(code)) || (tampered.has(transferId) && TOLD_OF_CASES.test(code))
    );
  };
}

/** Kinds of topics whose records verify reads. */
const VERIFIED: ReadonlySet<TopicKind> = new Set(['transition', 'command', 'claim', 'analytics', 'outcome']);

/** What verify had to tell and did not. */
export function unreported({ forged, tampered }: Doings, findings: readonly Finding[]): readonly string[] {
  const positions = new Set(findings.map(({ position }) => position));
  const transfers = new Set(findings.map(({ transferId }) => transferId));
  const records = forged.filter(({ id, topic, position }) => {
    const { kind } = contractOf(topic) ?? {};
    const isRecovery = MARKING.has(recoveryTopicOf(topic)?.owner ?? '');
    const isRead = isRecovery || (kind !== undefined && VERIFIED.has(kind));
    return isRead && forgeryOf(id) !== 'copy' && !positions.has(position);
  });
  const cases = [...tampered].filter((transferId) => !transfers.has(transferId));
  return [
    ...records.map(({ id, position }) => `the forgery ${id} at ${position}`),
    ...cases.map((transferId) => `the case of ${transferId}, which was tampered with`),
  ];
}
