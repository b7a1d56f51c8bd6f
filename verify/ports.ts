// Where verification reads from. The log and the provider's ledger are the witnesses; the stores are what is examined.

import type { CorridorBook } from '../domain/corridors/corridors.ts';
import type { LimitRule } from '../domain/limits/limit-rules.ts';
import type { KeyRing } from '../domain/seals/seal.ts';
import type { TermBook } from '../domain/terms/term-book.ts';
import type { Payout } from '../payouts/payout.ts';
import type { Codec } from '../ports/codec.ts';
import type { Log } from '../ports/log.ts';
import type { ReplayClaim } from '../ports/replay-claims.ts';
import type { Rings } from '../ports/seals.ts';
import type { Quote } from '../processors/fx-pricing/quote.ts';
import type { Proof, SealedClaim } from '../processors/fx-pricing/quote-seals.ts';
import type { HoldClaim, HoldKeys } from '../processors/holds.ts';
import type { IntentClaim } from '../processors/intake/ports.ts';
import type { RuleBook } from '../processors/limits/requests.ts';
import type { SettlementClaim } from '../processors/settlement/ports.ts';
import type { CaseDocument } from '../sinks/cases/case.ts';
import type { EventDocument } from '../sinks/events/to-write.ts';
import type { TransferDocument } from '../sinks/transfer-view/to-write.ts';
import type { FindingCode } from './finding-codes.ts';

/** Documents of one kind, by id. Every method rejects with a coded error when the store cannot be asked. */
export interface Documents<D> {
  /** Those of the ids that exist, in any order. One round trip. */
  find(ids: readonly string[]): Promise<readonly D[]>;
  count(): Promise<number>;
  /** Every id, in pages, in any order. */
  ids(): AsyncIterable<readonly string[]>;
}

/** Stored longs may come back as bigints or numbers; both count as the same. */
export interface Stores {
  readonly events: Documents<EventDocument>;
  readonly transfers: Documents<TransferDocument>;
  readonly cases: Documents<CaseDocument>;
  readonly payouts: Documents<StoredPayout>;
  readonly intentClaims: Documents<IntentClaim>;
  readonly settlementClaims: Documents<SettlementClaim>;
  readonly holdClaims: Documents<HoldClaim>;
  readonly replayClaims: Documents<ReplayClaim>;
}

/** A payout with the executor's seal, as stored. */
export interface StoredPayout extends Payout {
  readonly seal?: string;
}

/** What persons decided beside transfers (lists, exceptions, customers), as stored. */
export interface SealedDocument {
  readonly kind: 'list version' | 'activation' | 'past activation' | 'exception' | 'customer case' | 'discarded letter';
  readonly id: string;
  /** Why it is not what was decided, by the code of the finding; undefined: it is. */
  readonly flaw: FindingCode | undefined;
}

export interface SealedDocuments {
  /** All of them, in pages. Rejects with a coded error when the store cannot be asked. */
  all(): AsyncIterable<readonly SealedDocument[]>;
}

/** An endpoint of a producer. */
export interface StoredEndpoint {
  readonly endpointId: string;
  readonly producerId: string;
  /** Types of events that it asks for. */
  readonly events: readonly string[];
  /** Since when it asks for these, ms; undefined: nobody knows, and nothing of before is owed to it. */
  readonly since: number | undefined;
  /** Whether the API wrote it as it stands; true where nobody can tell. */
  readonly isSealed: boolean;
}

export interface StoredDelivery {
  readonly _id: string;
  /** What is sent, byte for byte. */
  readonly body: string;
  /** Whether the sink made it as it stands; true where nobody can tell. */
  readonly isSealed: boolean;
}

/** Webhooks, as stored. Rejects with a coded error when the store cannot be asked. */
export interface StoredWebhooks {
  /** Of all producers: there are few. */
  endpoints(): Promise<readonly StoredEndpoint[]>;
  /** Those of the ids that exist, in any order. One round trip. */
  deliveries(ids: readonly string[]): Promise<readonly StoredDelivery[]>;
}

/** The sums of fx.position up to some offsets, as stored. */
export interface StoredPositionCount {
  /** Id of the topic that was counted. */
  readonly topicId: string;
  /** The first offset of each partition that is not counted. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Minor units by currency. */
  readonly open: ReadonlyMap<string, bigint>;
  /** False: it says itself that it lacks some. */
  readonly isWhole: boolean;
}

/** A transfer in the limits ledger, as stored. */
export interface StoredReservation {
  readonly transferId: string;
  /** `unreadable`: it is no record of a stage. */
  readonly state: 'open' | 'refused' | 'released' | 'committed' | 'returned' | 'unreadable';
  readonly attempt: number;
  /** Counter (`rule:subject:window`) and minor units. */
  readonly uses: readonly { readonly bucket: string; readonly minor: bigint }[];
}

export interface StoredCounter {
  /** `rule:subject:window`. */
  readonly bucket: string;
  /** Undefined: it is no number. */
  readonly usedMinor: bigint | undefined;
  readonly open: number;
}

/** The limits ledger that is in force. */
export interface LimitsStore {
  /** False: it was lost and is not rebuilt yet, so that there is nothing to compare. */
  hydrated(): Promise<boolean>;
  find(transferIds: readonly string[]): Promise<readonly StoredReservation[]>;
  counters(): AsyncIterable<readonly StoredCounter[]>;
}

/** A record of the provider's own ledger. */
export interface ProviderRecord {
  /** Position in the ledger, rising. */
  readonly seq: number;
  /** `submit`: an instruction was received, whatever became of it. */
  readonly kind: 'submit' | 'execution' | 'return';
  /** Idempotency key: transferId:attempt. */
  readonly key: string;
  /** Null where nothing that the provider received named it; then the key tells. */
  readonly transferId: string | null;
  /** Null for a submit that could not be read. */
  readonly amount: { readonly minor: bigint; readonly currency: string } | null;
}

/** What the provider received and did: the independent witness of what was paid. */
export interface ProviderLedger {
  /** Records with a greater `seq` than `after`, in order. */
  read(after: number): AsyncIterable<ProviderRecord>;
}

/** Who let a decision through, about which hold, with the hash of what both saw. */
export interface ApprovedDecision {
  readonly subject: string;
  readonly hash: string;
  readonly askedBy: string;
  readonly approvedBy: string;
  /** The broken glass under which one person was enough. */
  readonly glass: string | undefined;
}

/** Terms by the names that prices have for them. */
export interface KnownTerms {
  /** Undefined: nobody here knows them any more. */
  named(set: string): TermBook | undefined;
  readonly corridors: CorridorBook;
}

/** A version of a policy that two persons put in force, as the log proves it. */
export interface LoggedLaw {
  readonly version: number;
  /** As events name it; null: this build cannot read it. */
  readonly name: string | null;
  /** It counted for nothing that the broker took before `earliest`, and for all from `latest` on; ms since 1970. */
  readonly earliest: number;
  readonly latest: number;
  /** Of limits that can be read: the rules, so that what they state is reckoned again. */
  readonly book?: RuleBook;
  /** Ids of its rules for corridors that there are no more by these names: whether they count, nobody knows. */
  readonly unsure?: ReadonlySet<string>;
}

export interface KeptQuotes {
  /** The stages', which quotes and claims are sealed under. */
  readonly ring: KeyRing;
  /** What is kept of these quotes, and the claims that stand, whoever made them. Rejects with a coded error when the store cannot be asked. */
  find(quoteIds: readonly string[]): Promise<{
    readonly proofs: ReadonlyMap<string, Proof<Quote>>;
    readonly claims: readonly SealedClaim[];
  }>;
}

export interface VerifySources {
  readonly log: Log;
  readonly codec: Codec;
  /** First part of group names. */
  readonly app: string;
  /** Absent: what MongoDB holds is not compared. */
  readonly stores?: Stores;
  /** Absent: what Redis holds is not compared. */
  readonly limits?: LimitsStore;
  /** Absent: nothing is said about what was really paid. */
  readonly provider?: ProviderLedger;
  /** Absent: seals are not checked. */
  readonly keys?: HoldKeys & { readonly executor?: KeyRing };
  /** Absent: what persons decided beside transfers is not looked at. */
  readonly sealed?: SealedDocuments;
  /**
   * Which of these approvals two persons gave for the skip of a record, by their seals, and of which record. Absent: letters of
   * what was skipped must name one, and it is not looked at. Rejects with a coded error when the store cannot be asked.
   */
  readonly approvedSkips?: (approvalIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The kept count of open positions. Absent: it is not looked at. Rejects with a coded error when the store cannot be asked. */
  readonly positionCount?: () => Promise<StoredPositionCount | undefined>;
  /**
   * Those of these approvals by which a decision on a hold was let through, by their seals. Absent: what decisions name is not
   * looked at. Rejects with a coded error when the store cannot be asked.
   */
  readonly approvedDecisions?: (approvalIds: readonly string[]) => Promise<ReadonlyMap<string, ApprovedDecision>>;
  /** Absent: what producers are told is not looked at. */
  readonly webhooks?: StoredWebhooks;
  /** Absent: prices are not held against the terms that they name. */
  readonly terms?: KnownTerms;
  /** Absent: nobody asks whether what decisions name was in force. */
  readonly laws?: { readonly limits: readonly LoggedLaw[]; readonly terms: readonly LoggedLaw[] };
  /** Absent: prices of quotes are not held against what was quoted. */
  readonly quotes?: KeptQuotes;
  /** Rules in force: they say which limits a return frees. */
  readonly limitRules: readonly LimitRule[];
  /** Keys of all issuers; without them no seal is checked. */
  readonly rings?: Rings;
}
