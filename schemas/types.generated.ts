// Generated from schemas/avro by `npm run generate`; do not edit.

/** The rate of a pair that a corridor has last gone by: the next one is held against it. Kept for ever; key: corridor and pair. */
export interface AcceptedRate {
  /** Id of the corridor. */
  corridor: string;
  /** ISO 4217 code of one unit. */
  base: string;
  /** ISO 4217 code of its price. */
  quote: string;
  /** Decimal string: units of quote for one unit of base, as published. */
  rate: string;
  /** Publisher of the rate. */
  source: string;
  /** When the source observed it. */
  observedAt: number;
  /** One above that of the record that it follows: what somebody writes who has slept changes nothing. */
  version: number;
  /** When pricing accepted it. */
  acceptedAt: number;
  /** The approval under which two persons accepted the jump to it; null: it was no jump. */
  approvalId: string | null;
}

/** An account at a financial institution. */
export interface Account {
  /** How the account is identified: IBAN, BBAN or VPA. */
  scheme: string;
  /** The account identification itself, without spaces. */
  value: string;
  /** Identification of the institution: BIC, IFSC or sort code. Absent where the account carries it. */
  agent: string | null;
}

/** Whose account a movement is on. DEBTOR: the sender, who is debited. FEES, TAXES, MARGIN: what is taken of the debit. CONVERSION: the exchange, which takes the source currency and gives the target currency. CREDITOR: the beneficiary. RETURNED: what came back and is held for the sender, in the target currency. */
export type AccountRole = 'UNKNOWN' | 'DEBTOR' | 'FEES' | 'TAXES' | 'MARGIN' | 'CONVERSION' | 'CREDITOR' | 'RETURNED';

/** Which side of the transfer the instructed amount fixes. */
export type AmountSide = 'UNKNOWN' | 'SOURCE' | 'TARGET';

/** Until when a partition of a topic for analysts is complete: every row that the broker took at completeUntil or before is committed, and is in transfer.state and transfer.money. Key: topic and partition. */
export interface AnalyticsWatermark {
  /** The topic that it is about: transfer.lifecycle. */
  topic: string;
  /** Id of the topic: one that was made anew has another, and claims nothing of this. */
  topicId: string;
  /** The partition that it is about. */
  partition: number;
  /** Append time (timestamp of the Kafka record) up to which nothing more comes. */
  completeUntil: number;
  /** The first offset whose row is not in the other grains yet; it was taken after completeUntil. */
  offset: number;
  /** When it was claimed, by the clock of who claims it. */
  claimedAt: number;
}

/** What the audit log held when it was signed: a checkpoint (C2SP tlog-checkpoint) as a signed note. */
export interface AuditCheckpoint {
  /** Origin, number of entries and root hash, one a line; an empty line; one or more signatures. */
  note: string;
}

/** How it was known who asked. TOKEN: a token of the issuer; KEY: an API key; CLAIMED: a program took the name that it was told; SYSTEM: a part of Corridor; NONE: nobody was known. */
export type AuditCredential = 'UNKNOWN' | 'TOKEN' | 'KEY' | 'CLAIMED' | 'SYSTEM' | 'NONE';

/** Something that was allowed, denied, shown or done, or how often. No personal data of anybody but the name under which an operator acts, and no text that somebody typed. Key: entryId. */
export interface AuditEntry {
  /** UUID; the same entry written again has the same. */
  entryId: string;
  /** When, by the clock of the program that wrote it. */
  at: number;
  /** Which program wrote it: api, cli, or a part of the pipeline. */
  program: string;
  /** Who asked: the subject of a credential, the name that a program was told, or a part of the system. Null: nobody was known. */
  subject: string | null;
  /** The roles of whoever asked. */
  roles: readonly string[];
  /** How it was known who asked. */
  credential: AuditCredential;
  /** What was asked for: an action of the table of access, or an act of a program. */
  action: string;
  /** What it was about, in the plural: transfers, cases, replays. */
  objectKind: string;
  /** Which one; `sha256:` and a digest of it while nothing has shown that there is one. Null: none in particular. */
  objectId: string | null;
  /** What came of it. */
  outcome: AuditOutcome;
  /** Why: the code of an error, or of a decision. */
  reasonCode: string | null;
  /** Number of a ticket that whoever asked gave, such as INC-1234. */
  reference: string | null;
  /** SHA-256, in hexadecimal, of what was decided on: evidence, a selection, terms. */
  decidedOn: string | null;
  /** The request that it belongs to: the trace id of the API. */
  requestId: string | null;
  /** entryId of the act that this one is an item of, or the end of. */
  partOf: string | null;
  /** How many alike this entry stands for: 1, or more where a flood is counted. */
  count: number;
}

/** What came of what was asked for. ALLOWED: let in, and about to be done; DENIED: not let in; VIEWED: shown; DONE: it took effect; FAILED: it was tried, and did not take effect as far as is known. */
export type AuditOutcome = 'UNKNOWN' | 'ALLOWED' | 'DENIED' | 'VIEWED' | 'DONE' | 'FAILED';

/** Where a person was born. */
export interface BirthPlace {
  /** Town or city, at most 35 characters. */
  town: string;
  /** ISO 3166-1 alpha-2 code. */
  country: string;
}

/** The right of one person to do alone what takes two, for some minutes. */
export interface BrokenGlass {
  /** Who broke it. */
  owner: string;
  /** Why they did; no personal data. */
  reason: string;
  /** When. */
  brokenAt: number;
  /** Nothing is done under it from then on. */
  until: number;
}

/** Who bears the charges (ISO 20022 ChargeBearerType). */
export type ChargeBearer = 'UNKNOWN' | 'DEBT' | 'CRED' | 'SHAR' | 'SLEV';

/** Identity of a record that asks the chain for something from outside; it has no sequence of its own. */
export interface Command {
  /** Unique per command; the same command sent again has the same id. */
  commandId: string;
  /** The transfer; key of the record. */
  transferId: string;
  /** Pricing attempt that the command refers to. */
  attempt: number;
  /** When the command was made. */
  issuedAt: number;
  /** Who made it: a component or an operator's id. */
  issuedBy: string;
  /** Partition of this transfer on every chain topic. */
  homePartition: number;
}

/** What a person sets for the running pipeline. */
export type ControlKind = 'UNKNOWN' | 'PROCESSOR' | 'PARTITION' | 'CORRIDOR' | 'PROVIDER' | 'RAIL' | 'GLASS';

/** PAUSED until RUNNING; of a glass: BROKEN until REVIEWED. What is not known counts as paused, or broken. */
export type ControlState = 'UNKNOWN' | 'PAUSED' | 'RUNNING' | 'BROKEN' | 'REVIEWED';

/** An attempt of a payout that was begun before. */
export interface EarlierAttempt {
  /** Its number. */
  number: number;
  /** When it began, as it is stored. */
  startedAt: number;
  /** Its token, as it is stored; null: of before tokens. */
  token: string | null;
}

/** Identity and place of an event in the life of its transfer. Written by chain stages only. */
export interface Envelope {
  /** UUIDv5 over topic, transfer, attempt and sequence: the same transition always has the same id. */
  eventId: string;
  /** The transfer; key of every record on the chain. */
  transferId: string;
  /** Rises by one per transition of the transfer; the first accepted event has 1. */
  sequence: number;
  /** Pricing attempt, from 1; a new quote starts the next. */
  attempt: number;
  /** eventId (or origin position) of the record that caused this one. */
  causationId: string;
  /** When the stage made the transition. */
  occurredAt: number;
  /** Partition of this transfer on every chain topic, also for writers outside the chain. */
  homePartition: number;
}

/** One charge. */
export interface Fee {
  /** What the charge is for, from the fee schedule. */
  code: string;
  /** The charge. */
  amount: Money;
}

/** How and when the money of a transfer came in. */
export interface Funding {
  /** ACCOUNT: from an account. CASH. MONEY_ORDER: also a cashier's or traveller's cheque. PREFUNDED: out of what the producer has paid in before. */
  method: FundingMethod;
  /** When the money was received; null: not yet, or nobody said. */
  receivedAt: number | null;
  /** Reference of the producer, for its own books: letters, digits and . _ / - only. No account number, no name. */
  reference: string | null;
}

/** How the money of a transfer came in. */
export type FundingMethod = 'UNKNOWN' | 'ACCOUNT' | 'CARD' | 'CASH' | 'MONEY_ORDER' | 'PREFUNDED';

/** How a transfer changes the open position of the house in two currencies. The sum of all records, currency by currency, is the open exposure. No personal data. Key: transferId. */
export interface FxPosition {
  /** UUIDv5 over transfer, attempt, and whether it opens or takes back: a price has at most one of each. */
  eventId: string;
  /** The transfer. */
  transferId: string;
  /** Pricing attempt: with the transfer it names the price. */
  attempt: number;
  /** Sequence of the transition that it was written with. */
  sequence: number;
  /** What became of the price. */
  change: PositionChange;
  /** When the transition was made. */
  occurredAt: number;
  /** Id of the corridor. */
  corridorId: string | null;
  /** ISO 4217 code of what the sender gives up. */
  sourceCurrency: string;
  /** Change of the position in the source currency: the principal when it opens, the same below zero when it is taken back. */
  sourceMinor: bigint;
  /** ISO 4217 code of what the beneficiary gets. */
  targetCurrency: string;
  /** Change of the position in the target currency: the credit below zero when it opens, above zero when it is taken back. */
  targetMinor: bigint;
}

/** The latest market rate of a pair from one source. Compacted; key: source/base/quote. */
export interface FxRate {
  /** Publisher. */
  source: string;
  /** ISO 4217 code of one unit. */
  base: string;
  /** ISO 4217 code of its price. */
  quote: string;
  /** Decimal string: units of quote for one unit of base. */
  rate: string;
  /** When the source observed it. */
  observedAt: number;
  /** When it was written here. */
  publishedAt: number;
  /** SHA-256 of the file or line that it was read from, hexadecimal; null: its feed says none. */
  rawHash: string | null;
}

/** A market rate as its feed published it, kept after newer ones have come. No personal data. Key: source/base/quote. Unique: rateId. */
export interface FxRateRecord {
  /** UUIDv5 of source, pair, rate and time: what is written again has the same. */
  rateId: string;
  /** Publisher. */
  source: string;
  /** ISO 4217 code of one unit. */
  base: string;
  /** ISO 4217 code of its price. */
  quote: string;
  /** Decimal string, as published. */
  rate: string;
  /** When the source observed it. A day is closed by this. */
  observedAt: number;
  /** When it was written to fx.rates. */
  publishedAt: number;
  /** SHA-256 of the file or line that it was read from. Null: its feed says none. */
  rawHash: string | null;
  /** Decimals of base: a minor unit is 10^-exponent of it. Null: the currency is not known. */
  baseExponent: number | null;
  /** Decimals of quote. */
  quoteExponent: number | null;
  /** Version of the analytics contract that the record was made by. */
  contractVersion: number;
  /** When the broker took it on fx.rates, which no feed says itself. Null: a release before wrote the record. */
  appendedAt: number | null;
}

/** Why a transfer waits for a person. */
export interface Hold {
  /** UUIDv5 over transfer and sequence: one per hold. */
  holdId: string;
  /** The stage that holds it and will resume it. */
  stage: Stage;
  /** Why it is held. */
  reasons: readonly Reason[];
  /** SHA-256 over all of the held event but itself and the seal: a decision is bound to it. */
  evidenceHash: string;
  /** When the hold lapses if nobody decides. */
  expiresAt: number;
  /** MAC of the stage over hold, transfer, stage, expiry and evidence hash. Absent in holds of the time before seals: they are not resumed. */
  seal: string | null;
}

/** An identity document or registration number of a party. */
export interface Identifier {
  /** What the number is: PASSPORT, NATIONAL_ID, TAX_ID, LEI, REGISTRATION or a scheme of the producer. */
  scheme: string;
  /** The number as printed on the document. */
  value: string;
  /** ISO 3166-1 alpha-2 code of the issuing country, if known. */
  country: string | null;
}

/** What was instructed, without personal data. */
export interface Instruction {
  /** Reference of the initiating party, passed on unchanged to the beneficiary (ISO 20022 EndToEndIdentification). */
  endToEndId: string;
  /** The amount that the producer fixed; its currency is the one of the side it fixes. */
  instructedAmount: Money;
  /** SOURCE: the debit is fixed. TARGET: the credit is fixed. */
  amountSide: AmountSide;
  /** ISO 4217 code of the debit. */
  sourceCurrency: string;
  /** ISO 4217 code of the credit. */
  targetCurrency: string;
  /** ISO 3166-1 alpha-2 code of the debtor. */
  sourceCountry: string;
  /** ISO 3166-1 alpha-2 code of the creditor. */
  targetCountry: string;
  /** Who bears the charges. */
  chargeBearer: ChargeBearer;
  /** ISO 20022 external purpose code, such as DEPD or SALA. */
  purposeCode: string;
  /** Keyed hash of the debtor's customerId: stable per customer, not reversible. */
  debtorToken: string;
  /** Keyed hash of the creditor's customerId. */
  creditorToken: string;
  /** When the producer made the intent. */
  requestedAt: number;
  /** ISO 8601 date on which the debtor wants execution; absent: now. */
  requestedExecutionDate: string | null;
  /** Topic id, partition and offset of the intent: topicId:partition:offset. Never changes. */
  originPosition: string;
  /** Keyed hashes of the intermediaries, in their order: of the customerId, or else of all that is said of the party. */
  intermediaryTokens: readonly string[];
  /** Who instructed it, as the API or the producer's seal proves; null: nobody can tell (records of before, and intents without a seal where no producer is configured for them). */
  producerId: string | null;
  /** The purpose in a country's own codes, where the corridor asks for it. */
  nationalPurpose: NationalPurpose | null;
  /** How the money came in. */
  funding: Funding | null;
  /** What a check of name and account said; the name that it found is with the parties. */
  payeeVerification: PayeeVerification | null;
  /** The arrangement that it is sent under, such as MTSS, RDA or LRS. */
  arrangement: string | null;
  /** Taxes that the producer takes with it. */
  taxes: readonly Tax[];
  /** How well the sender is known: the name of the tier, in capitals. */
  kycTier: string | null;
  /** What the sender has declared to have sent under this arrangement elsewhere in its current period. */
  declaredUse: Money | null;
  /** Keyed hash of the name that the check of name and account found. */
  verifiedNameToken: string | null;
  /** Unique end-to-end transaction reference: made of the transfer id, one per transfer over all attempts. Null: of before; it is made the same way. */
  uetr: string | null;
  /** Name and version of the rules of data that the intent was checked with. */
  transferRules: string | null;
  /** Ids of the rules of data that ask for a person before it goes on. */
  reviewRules: readonly string[];
  /** The corridor that carries it. Absent: accepted before events named it. */
  corridorId: string | null;
  /** Keyed hash of the account that the money comes from, where the funding is from an account or a card. */
  fundingToken: string | null;
  /** The quote whose price it has. Absent: it has that of its time. */
  quoteId: string | null;
  /** Which key its tokens were made with: two tokens can be compared only where it is the same. Absent: accepted before events named it. */
  tokenKeyId: string | null;
}

/** An intent that repeats an earlier one exactly: dropped, and recorded here so that the log accounts for every input. Key: transferId. */
export interface IntentDuplicated {
  /** UUIDv5 over the origin position. */
  eventId: string;
  /** The transfer that the first intent became. */
  transferId: string;
  /** Topic id, partition and offset of this intent. */
  originPosition: string;
  /** Where the first intent with this id and payload is. */
  firstOriginPosition: string;
  /** When it was recognised as a duplicate. */
  occurredAt: number;
  /** Producer that the repeat is provably from; null where nobody can tell. */
  producerId: string | null;
}

/** An intent that was decoded but refused; it never became a transfer. Key: its transferId. */
export interface IntentRejected {
  /** UUIDv5 over the origin position. */
  eventId: string;
  /** As given by the producer; where that is no transfer id, a token of it that begins with `token:`. */
  transferId: string;
  /** Topic id, partition and offset of the intent. */
  originPosition: string;
  /** When it was refused. */
  occurredAt: number;
  /** Every reason found, at least one. */
  reasons: readonly Reason[];
  /** For a reused id: where the first intent with that id is. */
  firstOriginPosition: string | null;
  /** Producer that the intent is provably from; null where nobody can tell. */
  producerId: string | null;
  /** Name and version of the rules of data that the intent was checked with. */
  transferRules: string | null;
  /** Ids of the rules of data that it does not meet. */
  brokenRules: readonly string[];
  /** The corridor between its currencies. Null: none carries them, or the record is of before the field. */
  corridorId: string | null;
  /** As given, cut at 3 characters. */
  sourceCurrency: string | null;
  /** As given, cut at 3 characters. */
  targetCurrency: string | null;
  /** The amount as given, in minor units of instructedCurrency; it may be zero or negative. */
  instructedMinor: bigint | null;
  /** Currency of that amount as given, cut at 3 characters. */
  instructedCurrency: string | null;
  /** Which amount was fixed: SOURCE, TARGET or UNKNOWN. */
  amountSide: string | null;
}

/** A party beside sender and beneficiary: whoever the money is for or from in the end, or an agent on its way. Screened as they are. */
export interface Intermediary {
  /** In what capacity it takes part. */
  role: IntermediaryRole;
  /** The identifier under which the producer knows this party, if it does. Opaque; screening exceptions and cases use it through a token only. */
  customerId: string | null;
  /** Person or organisation; decides how the name is screened. */
  kind: PartyKind;
  /** Full name as given by the producer. */
  name: string;
  /** Date of birth, ISO 8601 (YYYY, YYYY-MM or YYYY-MM-DD), for persons. */
  birthDate: string | null;
  /** ISO 3166-1 alpha-2 code of residence or incorporation. */
  country: string | null;
  /** ISO 3166-1 alpha-2 codes of nationality. */
  nationalities: readonly string[];
  /** Identity documents and registrations (of an agent its BIC or LEI), for exact list matches. */
  identifiers: readonly Identifier[];
  /** Deprecated: postal address in one line, which is read by people alone. Fill postalAddress. */
  address: string | null;
  /** Postal address in fields. */
  postalAddress: PostalAddress | null;
  /** Place of birth, for persons. */
  birthPlace: BirthPlace | null;
}

/** In what capacity a party beside sender and beneficiary takes part (ISO 20022: UltmtDbtr, UltmtCdtr, InitgPty, DbtrAgt, IntrmyAgt, CdtrAgt). */
export type IntermediaryRole = 'UNKNOWN' | 'ULTIMATE_DEBTOR' | 'ULTIMATE_CREDITOR' | 'INITIATING_PARTY' | 'DEBTOR_AGENT' | 'INTERMEDIARY_AGENT' | 'CREDITOR_AGENT';

/** A fee as an analyst sees it. */
export interface LifecycleFee {
  /** What the charge is for. */
  code: string;
  /** Minor units of the source currency. */
  minor: bigint;
}

/** A market rate that a price is made of, as an analyst sees it. */
export interface LifecycleLeg {
  /** ISO 4217 code of one unit. */
  base: string;
  /** ISO 4217 code of its price. */
  quote: string;
  /** Decimal string: units of quote for one unit of base, as published; the pair may be the other way round than the transfer. */
  rate: string;
  /** Publisher of the rate. */
  source: string;
  /** When the source observed it. */
  observedAt: number;
}

/** A declared tax as an analyst sees it. */
export interface LifecycleTax {
  /** What is taxed, such as EXCISE, TCS, VAT. */
  kind: string;
  /** The rule that it is owed under. */
  authority: string;
  /** ISO 4217. */
  currency: string;
  /** What is owed, in minor units. */
  minor: bigint;
}

/** What happens above a limit. REJECT: declined. HOLD: a person decides. DOCUMENTS: a person decides, once documents are there. SHADOW: it is recorded, nothing else. */
export type LimitAction = 'UNKNOWN' | 'REJECT' | 'HOLD' | 'DOCUMENTS' | 'SHADOW';

/** What a limit counts. AMOUNT: money. COUNT: transfers. BENEFICIARIES: different beneficiaries. */
export type LimitMetric = 'UNKNOWN' | 'AMOUNT' | 'COUNT' | 'BENEFICIARIES';

/** What a person approved above a review limit; it holds for later prices of the same transfer too. */
export interface LimitsApproval {
  /** The decision. */
  review: ReviewOutcome;
  /** The review limits that were exceeded when it was decided. */
  ruleIds: readonly string[];
  /** The debit that was approved. A later price may exceed it by the tolerance of the limits stage, no more. */
  debit: Money;
}

/** The limits that stood against a transfer. */
export interface LimitsRefusal {
  /** Name and version of the rules that were in force. */
  limitRules: string | null;
  /** Each limit that stood against it, without this transfer. */
  uses: readonly LimitUse[];
}

/** A part of a snapshot of what limits count, as the log said it up to some positions. Key: slot and part; part 0 says how many there are. */
export interface LimitsSnapshot {
  /** 0 or 1: snapshots take turns, so that one is whole while the next is written. */
  slot: number;
  /** 0 for the head, which is written last; then from 1. */
  part: number;
  /** Parts of one snapshot have the same. */
  snapshotId: string;
  /** When the log was read. */
  takenAt: number;
  /** Of the head: how many parts there are beside it. 0 elsewhere. */
  parts: number;
  /** Transfers in this part; in the head: of all parts. */
  transfers: number;
  /** Of the head: what the broker took before this time (ms since 1970) is not all in it. Null: all is. */
  missingSince: number | null;
  /** Of the head; empty elsewhere. */
  positions: readonly LimitsSnapshotPosition[];
  /** Transfers that are open, or count in a window that is not over. */
  entries: readonly LimitsSnapshotEntry[];
}

/** What the latest event of a transfer said of its reservation. */
export interface LimitsSnapshotEntry {
  /** The transfer. */
  transferId: string;
  /** Of the event. */
  sequence: number;
  /** Pricing attempt. */
  attempt: number;
  /** open, released, committed or returned. */
  state: string;
  /** When the event happened. */
  at: number;
  /** What it has reserved. */
  uses: readonly LimitUse[];
}

/** How far a partition was read. */
export interface LimitsSnapshotPosition {
  /** Name of the topic. */
  topic: string;
  /** Its partition. */
  partition: number;
  /** The first offset that is not in the snapshot. */
  offset: number;
  /** Id of the topic: one that is made anew has the old name. Null: of before it was said. */
  topicId: string | null;
}

/** How one limit stood after this reservation. */
export interface LimitUse {
  /** Identifier of the limit rule. */
  ruleId: string;
  /** Token of who is limited. */
  subjectToken: string;
  /** Window that was counted, such as 2026-11-23. */
  window: string;
  /** ISO 4217 code in which the rule counts; XXX when it counts no money. */
  currency: string;
  /** Minor units (or transfers) that this transfer reserved. Stated once: a release takes back exactly this, at no rate. */
  reservedMinor: bigint;
  /** Minor units (or transfers, beneficiaries) used in the window, this transfer included (or, if refused, without it). */
  usedMinor: bigint;
  /** The limit in minor units. */
  limitMinor: bigint;
  /** What is counted. Null: of before, an amount. */
  metric: LimitMetric | null;
  /** What happens above the limit. Null: of before, REJECT or HOLD. */
  action: LimitAction | null;
  /** Token of the beneficiary that counts as one of several; null when amounts or transfers are counted. */
  member: string | null;
  /** What the sender has declared to have used elsewhere, in the currency of the rule; it counts beside what is used here. Null: nothing. */
  declaredMinor: bigint | null;
  /** When what was used no longer counts, or enough of it, if refused. Null: not by time. */
  freesAt: number | null;
  /** Whether money that comes back frees the limit again. Null: of before, by the rule in force. */
  freedByReturn: boolean | null;
}

/** A date as a sanctions list gives it: to the year, the month or the day. */
export interface ListedDate {
  /** Year, or the first of a range. */
  year: number;
  /** 1 to 12, when known. */
  month: number | null;
  /** 1 to 31, when known. */
  day: number | null;
  /** Last year of a range. */
  toYear: number | null;
  /** Given as approximate. */
  circa: boolean;
}

/** What a sanctions list said of an entity when a party was compared with it: enough to compare again. */
export interface ListedEntity {
  /** person, organisation, vessel, aircraft or unknown. */
  type: string;
  /** SHA-256 of the whole listed entity, hexadecimal: an exception is void when it changes. */
  entityHash: string;
  /** Dates of birth. */
  birthDates: readonly ListedDate[];
  /** ISO 3166-1 alpha-2 of nationalities, addresses and flags. */
  countries: readonly string[];
  /** male or female, when given. */
  gender: string | null;
  /** Published identifiers. */
  identifiers: readonly ListedIdentifier[];
  /** Places of birth, as the list writes them. */
  birthPlaces: readonly string[];
}

/** An identifier that a sanctions list publishes of an entity. */
export interface ListedIdentifier {
  /** Such as passport, tax, imo or bic. */
  kind: string;
  /** As published. */
  value: string;
  /** ISO 3166-1 alpha-2 of the issuer, when known. */
  country: string | null;
}

/** The exact version of a sanctions list that was screened against. */
export interface ListReference {
  /** List source, such as OFAC-SDN, UN, EU, UK or CORRIDOR. */
  source: string;
  /** Identifier of the immutable list version. */
  versionId: string;
  /** ISO 8601 date of publication by the source. */
  publishedOn: string;
  /** SHA-256 of the canonical entities, hexadecimal. */
  contentHash: string;
  /** Which activation of the source this was: grows by one with each. 0: not known. */
  activation: number;
}

/** An exact amount of one currency. */
export interface Money {
  /** Amount in minor units of the currency (pence, paise, fils). Signed 64 bit; never a float. */
  minor: bigint;
  /** ISO 4217 alphabetic code, such as GBP. */
  currency: string;
}

/** Why money is sent, in a country's own codes, beside the purpose of ISO 20022. */
export interface NationalPurpose {
  /** Whose codes these are: RBI, CBUAE or another authority. */
  scheme: string;
  /** The code, such as P1301 or S0014. */
  code: string;
  /** What the beneficiary is to the sender, as a class: SELF, SPOUSE, PARENT, CHILD, SIBLING, OTHER_FAMILY, FRIEND, EMPLOYER, EMPLOYEE, SUPPLIER, CUSTOMER, OTHER. */
  relation: string | null;
}

/** All personal data of a transfer, in one place so that it can be sealed as a whole. */
export interface Parties {
  /** The sender (ISO 20022 debtor). */
  debtor: Party;
  /** The beneficiary (ISO 20022 creditor). */
  creditor: Party;
  /** Unstructured remittance information; may name people. */
  remittanceInformation: string | null;
  /** Every other party that is known to take part, in any order. */
  intermediaries: readonly Intermediary[];
  /** Name of the holder of the account, as a check of name and account found it. */
  verifiedPayeeName: string | null;
}

/** One side of a transfer. */
export interface Party {
  /** The identifier under which the producer knows this party. Opaque; limits and analytics use it through a token only. */
  customerId: string;
  /** Person or organisation; decides how the name is screened. */
  kind: PartyKind;
  /** Full name as given by the producer. */
  name: string;
  /** Date of birth, ISO 8601 (YYYY, YYYY-MM or YYYY-MM-DD), for persons. */
  birthDate: string | null;
  /** ISO 3166-1 alpha-2 code of residence or incorporation. */
  country: string;
  /** ISO 3166-1 alpha-2 codes of nationality. */
  nationalities: readonly string[];
  /** Identity documents and registrations, for exact list matches. */
  identifiers: readonly Identifier[];
  /** Deprecated: postal address in one line, which is read by people alone. Fill postalAddress. */
  address: string | null;
  /** The account debited or credited. */
  account: Account;
  /** Postal address in fields. */
  postalAddress: PostalAddress | null;
  /** Place of birth, for persons. */
  birthPlace: BirthPlace | null;
}

/** Whether a party is a natural person or an organisation. */
export type PartyKind = 'UNKNOWN' | 'PERSON' | 'ORGANISATION';

/** Role of a screened party in the transfer. */
export type PartyRole = 'UNKNOWN' | 'DEBTOR' | 'CREDITOR' | 'INTERMEDIARY';

/** Whether the name of the beneficiary belongs to the account, as somebody checked before the payer agreed. */
export interface PayeeVerification {
  /** Who was asked: EPC_VOP, UK_COP, IN_LOOKUP or another scheme. */
  scheme: string;
  /** MTCH: it does. CMTC: nearly. NMTC: it does not. NOAP: nobody could say. */
  result: PayeeVerificationResult;
  /** When it was checked. */
  checkedAt: number;
  /** The payer was told, and went on. */
  payerProceeded: boolean;
}

/** What a check of the name against the account said. */
export type PayeeVerificationResult = 'UNKNOWN' | 'MTCH' | 'CMTC' | 'NMTC' | 'NOAP';

/** A worker of the payout executor is about to send this attempt of a payout. A claim counts when it is the first of the payout, or above the one that counted last and made from a document that has that one. Key: payoutId. */
export interface PayoutAttemptClaimed {
  /** The payout: its transferId. */
  payoutId: string;
  /** Number of the attempt, over all prices of the payout. */
  attempt: number;
  /** Made anew for each claim, so that the worker knows its own. */
  claimId: string;
  /** When the attempt began, as it is stored: tells it from another of the same number. */
  startedAt: number;
  /** The attempts before this one that the document has: one that was put back lacks what was claimed since. */
  earlier: readonly EarlierAttempt[];
  /** Made anew for each attempt, as it is stored: two that begin in one millisecond, from one document that was put back in between, are two. Null: of before tokens. */
  token: string | null;
}

/** The payout may be made, once, before the price expires. */
export interface PayoutRequested {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
  /** The price in force. */
  price: Price;
  /** Limits reserved. */
  reservation: Reservation;
}

/** Where a payout stands. Versions of one payout rise by one. */
export interface PayoutState {
  /** The payout: one per transfer, equal to the transferId. */
  payoutId: string;
  /** Rises with each published change of this payout. */
  version: number;
  /** The state. */
  status: PayoutStatus;
  /** Name of the provider. */
  provider: string;
  /** Idempotency key of the attempt: transferId:attempt. */
  attemptKey: string;
  /** Reference given by the provider. */
  providerReference: string | null;
  /** Why it failed or came back. */
  reason: Reason | null;
  /** When the executor learnt of the state. */
  changedAt: number;
}

/** State of a payout at the provider. */
export type PayoutStatus = 'UNKNOWN' | 'ACCEPTED' | 'OUTCOME_UNKNOWN' | 'PAID' | 'FAILED' | 'RETURNED' | 'EXPIRED';

/** The executor reports a change of a payout. A command for settlement. */
export interface PayoutUpdated {
  /** Identity of the command. */
  command: Command;
  /** The event that asked for the payout, so that settlement needs no lookup. */
  requested: PayoutRequested;
  /** The payout. */
  payout: PayoutState;
  /** Of EXPIRED: the event that asked for the payout, as payout dispatch sealed it. A new price is looked for on this alone. */
  asked: SealedRequest | null;
}

/** A version of a policy, which is law as data: limit rules, or terms of exchange. Two persons put it in force. Key: kind and version. */
export interface PolicyVersion {
  /** What it is a policy of: limits or terms. A reader passes over a kind that it does not know. */
  kind: string;
  /** From 1, one above that of the version before it. Of two records of one version the first counts. */
  version: number;
  /** The policy as JSON, with sorted keys; at most 48,000 characters. */
  content: string;
  /** SHA-256 over the content, in hexadecimal. */
  contentHash: string;
  /** It counts for what the broker took from then on, and never for what the broker took before this record. */
  validFrom: number;
  /** When it was written, by the clock of who wrote it. */
  activatedAt: number;
  /** Who asked for it. */
  askedBy: string;
  /** Who let it through. */
  approvedBy: string;
  /** The approval. */
  approvalId: string;
  /** Why; no personal data. */
  reason: string;
}

/** What became of a price: it opens a position once, and at most one of the others takes it back. */
export type PositionChange = 'UNKNOWN' | 'OPENED' | 'EXPIRED' | 'REJECTED' | 'RETURNED';

/** A postal address in the fields of ISO 20022 (PostalAddress24), in the lengths of CBPR+. */
export interface PostalAddress {
  /** Name of the street (StrtNm); at most 70 characters. */
  street: string | null;
  /** Number of the building (BldgNb); at most 16. */
  building: string | null;
  /** Postal code (PstCd); at most 16. */
  postCode: string | null;
  /** Town or city (TwnNm); at most 35. */
  town: string | null;
  /** State, province or county (CtrySubDvsn); at most 35. */
  subdivision: string | null;
  /** ISO 3166-1 alpha-2 code (Ctry). */
  country: string | null;
  /** What fits into none of these (AdrLine): at most two lines of 70. */
  lines: readonly string[];
}

/** A binding price for the currency exchange of one transfer. */
export interface Price {
  /** Identifier of the set of rates used: hash over the legs. */
  snapshotId: string;
  /** The market rates used, in order from source to target. */
  legs: readonly RateLeg[];
  /** Decimal string: units of target for one unit of source before margin. */
  midRate: string;
  /** Margin in basis points of the mid rate. */
  marginBps: number;
  /** Decimal string: units of target for one unit of source that the customer gets. */
  customerRate: string;
  /** Amount exchanged, in the source currency (debit less fees). */
  principal: Money;
  /** Total debited from the sender, fees included, in the source currency. */
  debit: Money;
  /** Amount that the beneficiary gets, in the target currency. */
  credit: Money;
  /** Charges borne by the sender, in the source currency. */
  fees: readonly Fee[];
  /** Rounding applied to the derived side: DOWN (credit) or UP (debit). */
  rounding: string;
  /** Decimal string: exact value minus rounded value of the derived side, in minor units. */
  residual: string;
  /** When the price was made. */
  lockedAt: number;
  /** After this instant nothing may be submitted at this price. */
  expiresAt: number;
  /** What the exchange earns, in the source currency: the principal less what the credit costs at the mid rate, rounded up. Absent: priced before prices said so. */
  margin: Money | null;
  /** Whether fx.position has the position that this price opens. False: priced before positions were told, so nothing takes one back either. */
  positioned: boolean;
  /** Taxes charged with it, in the source currency; they are in the debit. */
  taxes: readonly PriceTax[];
  /** The terms that it was made by. Absent: priced before events named them. */
  terms: PriceTerms | null;
  /** ISO 8601 date from which the money counts for the beneficiary's side. Absent: the terms do not say. */
  valueDate: string | null;
  /** When the beneficiary has the money at the latest, if it is sent while the price binds. Absent: the terms do not say. */
  availableAt: number | null;
  /** Until when the sender may take it back by the rule that the terms name, if it was not paid out. Absent: the terms name none. */
  cancelUntil: number | null;
}

/** A tax that is charged with the price, apart from fees, and all that it takes to work it out again. */
export interface PriceTax {
  /** What is taxed, such as EXCISE. */
  kind: string;
  /** The rule that it is owed under, such as US_IRC_4475. */
  authority: string;
  /** What it is of: PRINCIPAL (the amount exchanged) or FEES (all fees but ROUNDING). */
  base: string;
  /** The amount that it is of. */
  basis: Money;
  /** Rate in basis points of the basis. */
  rateBps: number;
  /** How it is rounded to a minor unit: UP, DOWN or HALF_UP. */
  rounding: string;
  /** What is charged. */
  amount: Money;
  /** The row of the terms that it is by. */
  termId: string;
}

/** The terms that a price was made by. */
export interface PriceTerms {
  /** Name and version of the terms, as name@version. */
  set: string;
  /** The rows that it went by: margin, lifetime, fees, taxes, settlement, cancellation. */
  termIds: readonly string[];
  /** State of the market when it was made: OPEN, CLOSED or HOLIDAY. */
  market: string;
  /** Size by which bands of amounts were told apart, in minor units of the source currency: the debit where it is fixed, else what the credit costs at the mid rate, rounded up. */
  sizeMinor: bigint;
}

/** Which sources said what a rate says when it set a price. */
export interface RateAgreement {
  /** Publishers that agreed, the one of the rate first; 16 at most. */
  sources: readonly string[];
  /** Largest distance of another that agreed, in basis points of the lower rate, rounded up. */
  distanceBps: number;
}

/** Two persons accepted that the rate of a pair has jumped, for one corridor. Key: corridor and pair. */
export interface RateJumpAccepted {
  /** Id of the corridor. */
  corridor: string;
  /** ISO 4217 code of one unit. */
  base: string;
  /** ISO 4217 code of its price. */
  quote: string;
  /** Decimal string: the rate that they accepted. One that does not say the same is still a jump. */
  rate: string;
  /** Decimal string, of the same base and quote as the accepted rate of `fromVersion`: what it jumped from. */
  fromRate: string;
  /** Version of the accepted rate that it jumped from. Once there is another, this counts for nothing. */
  fromVersion: number;
  /** When it was accepted. */
  acceptedAt: number;
  /** From then on it counts for nothing. */
  expiresAt: number;
  /** Who asked for it. */
  askedBy: string;
  /** Who let it through. */
  approvedBy: string;
  /** The approval. */
  approvalId: string;
  /** Why; no personal data. */
  reason: string;
}

/** One market rate used in a price. */
export interface RateLeg {
  /** ISO 4217 code of one unit. */
  base: string;
  /** ISO 4217 code of the price of that unit. */
  quote: string;
  /** Decimal string: units of quote for one unit of base, as published; never inverted or rounded. */
  rate: string;
  /** Publisher of the rate. */
  source: string;
  /** When the source observed it. */
  observedAt: number;
  /** The sources that agreed on it; null: priced before agreement was asked for. */
  agreement: RateAgreement | null;
}

/** Why something was refused, held or returned. */
export interface Reason {
  /** ISO 20022 external status reason code, such as AC01, AM14, RR04, or a four-letter code of the catalogue in domain/reasons.ts. */
  code: string;
  /** One sentence for operators. Holds no personal data. */
  detail: string;
}

/** One version of what transfers go by (a corridor, a row of terms, a limit rule, a list, a provider), and when it counted. No personal data. Key and unique: versionId; the last record of a key counts. */
export interface ReferenceVersion {
  /** kind/id/version: the key. */
  versionId: string;
  /** CORRIDOR, MARGIN, FEE, TAX, LIFETIME, MARKET, SETTLEMENT, CANCELLATION, LIMIT_RULE, LIST or PROVIDER; others may come. */
  kind: string;
  /** Its id within the kind, as rows name it: corridorId, one of termIds or limitRuleIds, the source of a list, provider. */
  id: string;
  /** As rows name it: termsVersion, limitRulesVersion, the version of a list. Of a corridor and a provider the first 12 characters of contentHash. */
  version: string;
  /** From when on it counts: by when the broker took what is decided. Of what a configuration says: when a process first told it. */
  validFrom: number;
  /** From then on it counts no more. Null: it counts. The same as validFrom: another came before it could count. */
  validTo: number | null;
  /** Number of the version that two persons put in force. Null: a configuration says it, or it is a list. */
  policyVersion: number | null;
  /** SHA-256 of the content; of a list that of its entries. */
  contentHash: string;
  /** Corridors that it is for. Empty: all, or it is no matter of corridors. */
  corridorIds: readonly string[];
  /** Of a fee its code, of a tax its kind. */
  code: string | null;
  /** ISO 4217 code of flatMinor or limitMinor. */
  currency: string | null;
  /** Of a margin, a fee or a tax: basis points. */
  bps: number | null;
  /** Of a fee: its flat part. */
  flatMinor: bigint | null;
  /** Of a limit rule: the most, in minor units of currency; without one, in transfers or beneficiaries. */
  limitMinor: bigint | null;
  /** Of a limit rule: what is counted, such as amount/debit, count, beneficiaries. */
  metric: string | null;
  /** Of a limit rule: what happens above it. */
  action: string | null;
  /** All that it says, as JSON with sorted keys; amounts are text. */
  content: string;
  /** Version of the analytics contract that the record was made by. */
  contractVersion: number;
}

/** The price expired before anything was sent: price again. */
export interface RequoteRequested {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
  /** The price in force. */
  price: Price;
  /** Limits reserved. Absent when the transfer did not get that far. */
  reservation: Reservation | null;
  /** Why a new quote is needed. */
  reason: Reason;
}

/** Limits reserved for one transfer and pricing attempt. */
export interface Reservation {
  /** transferId:attempt. */
  reservationId: string;
  /** Each limit it counts against. */
  uses: readonly LimitUse[];
  /** Append time of the priced event, which decides the windows. */
  reservedAt: number;
  /** What a person approved above a review limit, when one was exceeded. */
  approval: LimitsApproval | null;
  /** Name and version of the rules that were in force. Null: of before. */
  limitRules: string | null;
}

/** A person decided a hold. A command: the stage that holds the transfer resumes it. */
export interface ReviewDecided {
  /** Identity of the command. */
  command: Command;
  /** The hold that is decided. */
  holdId: string;
  /** The decision. */
  decision: ReviewDecision;
  /** The operator's reason. */
  justification: string;
  /** Hash of what the operator saw; must equal the hold's. */
  evidenceHash: string;
  /** The held event, so that the stage needs no lookup. */
  held: TransferHeld;
  /** MAC of the program through which a person decided, over the hold, its evidence hash, the decision and all who agreed. Absent when nobody decided in time. */
  seal: string | null;
  /** Operator's id of who let it through, where two persons have to agree; under the seal. Null: one person decided. */
  agreedBy: string | null;
  /** The broken glass under which one person decided what takes two; under the seal. Null: none. */
  glass: string | null;
  /** The approval by which it was let through; under the seal. Null: one person decided, or it is of before approvals were named. */
  approvalId: string | null;
  /** Hash of what both persons have seen, as in the approval; under the seal. Null: as `approvalId`. */
  approvalHash: string | null;
}

/** The decision on a hold. */
export type ReviewDecision = 'UNKNOWN' | 'APPROVE' | 'REJECT';

/** How a hold of this transfer was decided by a person. */
export interface ReviewOutcome {
  /** The hold. */
  holdId: string;
  /** APPROVE or REJECT. */
  decision: string;
  /** Operator's id. */
  decidedBy: string;
  /** When it was decided. */
  decidedAt: number;
  /** Hash of what was decided on. */
  evidenceHash: string;
  /** The operator's reason. */
  justification: string;
}

/** What a person has set for the running pipeline: a pause, its end, a glass that was broken, its review. Kept for ever; key: kind and name. */
export interface RuntimeControl {
  /** What is paused, or GLASS. */
  kind: ControlKind;
  /** Name of the processor, corridor, provider or rail; of a glass, its id. */
  name: string;
  /** The partition of the chain, where one of a processor is paused. */
  partition: number | null;
  /** What holds from here on. */
  state: ControlState;
  /** One above that of the record that it follows: a copy of an earlier one changes nothing. Of two with the same version the one that stops counts. */
  version: number;
  /** When it was set. */
  changedAt: number;
  /** Who set it; of a resumption, who asked for it; of a glass, who broke or reviewed it. */
  changedBy: string;
  /** Who let the resumption through. */
  approvedBy: string | null;
  /** The approval of the resumption. */
  approvalId: string | null;
  /** Why, or what the review says; no personal data. */
  reason: string;
  /** Of a glass: whose it is, in all its records. */
  glass: BrokenGlass | null;
}

/** The result of screening for one party. */
export interface ScreenedParty {
  /** Which party. */
  role: PartyRole;
  /** The result for this party. */
  outcome: ScreeningOutcome;
  /** SHA-256 of the normalised query: proves what was screened without repeating it. */
  queryHash: string;
  /** Listed entities above the evidence floor, best first. */
  candidates: readonly ScreeningCandidate[];
  /** Why the name could not be compared, or not all of it: UNSCREENABLE_NAME or NAME_TOO_LONG. */
  unscreenableCode: string | null;
}

/** A listed entity that resembles a party. */
export interface ScreeningCandidate {
  /** List source of the entity. */
  source: string;
  /** Identifier of the entity at its source. */
  entityId: string;
  /** The listed name or alias that scored best. */
  matchedName: string;
  /** PRIMARY, STRONG or WEAK. */
  aliasQuality: string;
  /** 0 to 1. */
  score: number;
  /** Whether the score reached the threshold in force. */
  isHit: boolean;
  /** Identifier of the good-guy exception that suppressed the hit, if any. */
  exceptionId: string | null;
  /** The score feature by feature. */
  features: readonly ScreeningFeature[];
  /** The matched name is the primary name, an alias or a former name. */
  nameKind: string;
  /** Family name, where the list separates the parts. */
  family: string | null;
  /** Given name, where the list separates the parts. */
  given: string | null;
  /** The names were compared as those of a person, an organisation or an object. */
  comparedAs: string;
  /** Score from which this candidate is a hit. */
  threshold: number;
  /** What the list said of the entity. */
  entity: ListedEntity | null;
}

/** All that is needed to reproduce the screening decision. */
export interface ScreeningEvidence {
  /** The overall result: the worst of the parties, or APPROVED after review. */
  outcome: ScreeningOutcome;
  /** List versions that were active. */
  lists: readonly ListReference[];
  /** Version of the matching engine. */
  engineVersion: string;
  /** SHA-256 of the screening configuration in force. */
  configurationHash: string;
  /** Score from which a candidate is a hit. */
  threshold: number;
  /** When the parties were screened. */
  screenedAt: number;
  /** Result per party. */
  parties: readonly ScreenedParty[];
  /** The decision of a person, when there was a hold. */
  review: ReviewOutcome | null;
  /** What the configuration changes of the defaults of that engine version, as JSON. */
  configuration: string;
  /** Later looks, oldest first: made when a newer list version became active. */
  rechecks: readonly ScreeningRecheck[];
}

/** An exception of screening excuses nobody from here on. Kept for ever; key: exceptionId. */
export interface ScreeningExceptionRevoked {
  /** The exception. */
  exceptionId: string;
  /** When it was revoked. */
  revokedAt: number;
  /** Who revoked it. */
  revokedBy: string;
}

/** One part of a score, for explanation. */
export interface ScreeningFeature {
  /** Stable name of the feature. */
  name: string;
  /** What it contributed; 0 to 1 for similarities, signed for qualifiers. */
  value: number;
  /** What was compared, in words. */
  detail: string;
  /** How the value acts: score, factor, add or cap. */
  kind: string;
}

/** A list version is in force from here on. Compacted; key: source. */
export interface ScreeningListActivated {
  /** The version. */
  list: ListReference;
  /** Number of entities in it. */
  entities: number;
  /** Number of names and aliases in it. */
  names: number;
  /** When it was activated. */
  activatedAt: number;
  /** Who activated it. */
  activatedBy: string;
}

/** What screening found. */
export type ScreeningOutcome = 'UNKNOWN' | 'CLEAR' | 'POTENTIAL_MATCH' | 'TRUE_MATCH' | 'UNSCREENABLE' | 'APPROVED';

/** A later look at the same parties, against the difference between two sets of list versions only. */
export interface ScreeningRecheck {
  /** RESUMED (after a review), DISPATCH (before the payout was asked for) or SUBMISSION (before money moved). */
  reason: string;
  /** The result for the difference. */
  outcome: ScreeningOutcome;
  /** List versions that were active; the parties are screened against all of them from here on. */
  lists: readonly ListReference[];
  /** Version of the matching engine. */
  engineVersion: string;
  /** SHA-256 of the screening configuration in force. */
  configurationHash: string;
  /** What the configuration changes of the defaults of that engine version, as JSON. */
  configuration: string;
  /** When the parties were screened. */
  screenedAt: number;
  /** Result per party. */
  parties: readonly ScreenedParty[];
  /** The decision of a person, when this look led to a hold. */
  review: ReviewOutcome | null;
}

/** The parties of a transfer, encrypted with a key of their own: destroying the key erases them. */
export interface SealedParties {
  /** Identifier of the data key. */
  keyId: string;
  /** Authenticated cipher, such as AES-256-GCM. */
  algorithm: string;
  /** The encrypted Avro encoding of Parties: nonce, ciphertext, tag. */
  ciphertext: Buffer;
}

/** A payout.requested as payout dispatch sealed it, byte for byte: proof of what it asked for. */
export interface SealedRequest {
  /** The value of the record. */
  value: Buffer;
  /** The cause that the seal is over too. */
  cause: string;
  /** The seal of payout dispatch over topic, key, cause and value. */
  seal: string;
}

/** A stage of the chain. */
export type Stage = 'UNKNOWN' | 'INTAKE' | 'SCREENING' | 'FX_PRICING' | 'LIMITS' | 'PAYOUT_DISPATCH' | 'SETTLEMENT';

/** A tax that the producer has worked out and takes with the transfer; apart from fees. */
export interface Tax {
  /** What is taxed, such as EXCISE, TCS, VAT. */
  kind: string;
  /** The rule that it is owed under, such as US_IRC_4475. */
  authority: string;
  /** What is owed. */
  amount: Money;
  /** What it is worked out of, in the same currency. */
  basis: Money;
}

/** A valid intent became a transfer. */
export interface TransferAccepted {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
}

/** The beneficiary was paid. */
export interface TransferCompleted {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
  /** The price in force. */
  price: Price;
  /** Limits reserved. */
  reservation: Reservation;
  /** The payout. */
  payout: PayoutState;
}

/** The transfer waits for a person. */
export interface TransferHeld {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. Absent when the transfer did not get that far. */
  screening: ScreeningEvidence | null;
  /** The price in force. Absent when the transfer did not get that far. */
  price: Price | null;
  /** Limits reserved; they stay reserved while the transfer is held. Absent when the transfer did not get that far. */
  reservation: Reservation | null;
  /** What is held and why. */
  hold: Hold;
}

/** One flat record per transition or mark, for analytics. No personal data. Key: transferId. Unique: eventId (marks repeat a sequence). */
export interface TransferLifecycle {
  /** eventId of the transition (or of the mark). */
  eventId: string;
  /** The transfer. */
  transferId: string;
  /** Sequence of the transition; marks such as DEAD_LETTERED repeat the last one. */
  sequence: number;
  /** Pricing attempt. */
  attempt: number;
  /** State after the transition. */
  state: TransferState;
  /** Stage that made it. */
  stage: Stage;
  /** When it was made. */
  occurredAt: number;
  /** When the producer made the intent. */
  requestedAt: number;
  /** ISO 3166-1 alpha-2. */
  sourceCountry: string;
  /** ISO 3166-1 alpha-2. */
  targetCountry: string;
  /** ISO 4217. */
  sourceCurrency: string;
  /** ISO 4217. */
  targetCurrency: string;
  /** Keyed hash of the sender. */
  debtorToken: string;
  /** Keyed hash of the beneficiary. */
  creditorToken: string;
  /** ISO 20022 purpose code. */
  purposeCode: string;
  /** Who bears the charges. */
  chargeBearer: string;
  /** Total debit in minor units of the source currency, once priced. */
  debitMinor: bigint | null;
  /** Credit in minor units of the target currency, once priced. */
  creditMinor: bigint | null;
  /** Fees in minor units of the source currency, once priced. */
  feesMinor: bigint | null;
  /** Mid rate, decimal string. */
  midRate: string | null;
  /** Customer rate, decimal string. */
  customerRate: string | null;
  /** Margin in basis points. */
  marginBps: number | null;
  /** Identifier of the rates used. */
  rateSnapshotId: string | null;
  /** Outcome of screening, once screened. */
  screeningOutcome: string | null;
  /** Payout provider, once known. */
  provider: string | null;
  /** Reason codes of a rejection, hold, return or dead letter. */
  reasonCodes: readonly string[];
  /** Producer that instructed it; null where nobody can tell. */
  producerId: string | null;
  /** Scheme and code of the national purpose, such as RBI:P1301. */
  nationalPurpose: string | null;
  /** How the money came in. */
  fundingMethod: string | null;
  /** What a check of name and account said. */
  payeeVerification: string | null;
  /** The arrangement that it is sent under. */
  arrangement: string | null;
  /** Tier of the sender. */
  kycTier: string | null;
  /** Name and version of the rules of data that the intent was checked with. */
  transferRules: string | null;
  /** TRANSITION: the transfer took this state. MARK: something was noted of it; its state before goes on when the letter is replayed. Null: before the field was there. */
  eventKind: string | null;
  /** Version of the analytics contract that the record was made by. Null: 1, which lacks this field and all that follow. */
  contractVersion: number | null;
  /** The corridor that carries it. Null: accepted before events named it. */
  corridorId: string | null;
  /** The amount that was instructed, in minor units of instructedCurrency; there from the first record on. */
  instructedMinor: bigint | null;
  /** ISO 4217 code of the instructed amount. */
  instructedCurrency: string | null;
  /** Which amount was fixed: SOURCE (the debit) or TARGET (the credit). */
  amountSide: string | null;
  /** Decimals of the source currency: a minor unit is 10^-exponent of it. */
  sourceExponent: number | null;
  /** Decimals of the target currency. */
  targetExponent: number | null;
  /** Amount exchanged, in minor units of the source currency (debit less fees), once priced. */
  principalMinor: bigint | null;
  /** What the exchange earns, in minor units of the source currency: the principal less what the credit costs at the mid rate, rounded up. Revenue is feesMinor + marginMinor. Null: not priced, or priced before events named it. */
  marginMinor: bigint | null;
  /** What rounding took away: exact less rounded value of the derived side, in minor units, as a decimal string. It is within marginMinor. */
  residual: string | null;
  /** The fees by code; they sum to feesMinor. */
  fees: readonly LifecycleFee[];
  /** Taxes that the producer declared. */
  taxes: readonly LifecycleTax[];
  /** Version of the screening engine, once screened. */
  engineVersion: string | null;
  /** SHA-256 of the screening configuration in force, once screened. */
  screeningConfiguration: string | null;
  /** List versions that it was screened against, as source:version. */
  screeningLists: readonly string[];
  /** Limit rules that it counts against, once reserved. */
  limitRuleIds: readonly string[];
  /** The hold that this record begins. Null: it begins none. */
  holdId: string | null;
  /** Key of the attempt at the provider that the outcome is of. */
  payoutAttemptKey: string | null;
  /** Whether nothing more happens by itself. COMPLETED may still become RETURNED. */
  ended: boolean | null;
  /** When it ended: occurredAt where ended. */
  endedAt: number | null;
  /** What came back of the credit, in minor units of the target currency. Null: nothing came back. */
  returnedMinor: bigint | null;
  /** State before. Null: there was none. */
  previousState: string | null;
  /** When the state before was taken. Null: there was none, or (of a return behind a completion) the record of COMPLETED has it. */
  previousOccurredAt: number | null;
  /** How long the hold lasted that this record ends, in ms. Null: it ends none. */
  heldMs: number | null;
  /** The replay of dead letters that led to it. Null: none did. */
  replayId: string | null;
  /** Name and version of the terms that it was priced by, as name@version. Null: not priced, or priced before events named them. */
  termsVersion: string | null;
  /** The rows of these terms that it went by. */
  termIds: readonly string[];
  /** State of the market when it was priced: OPEN, CLOSED or HOLIDAY. */
  market: string | null;
  /** Taxes in the debit, in minor units of the source currency, once priced: debitMinor = principalMinor + feesMinor + chargedTaxesMinor. */
  chargedTaxesMinor: bigint | null;
  /** The taxes in the debit, one by one; they sum to chargedTaxesMinor. What the producer takes by itself is in taxes. */
  chargedTaxes: readonly LifecycleTax[];
  /** ISO 8601 date from which the money counts, where the terms say so. */
  valueDate: string | null;
  /** When the beneficiary has the money at the latest, where the terms say so. */
  availableAt: number | null;
  /** Until when the sender may take it back, where the terms name a rule. */
  cancelUntil: number | null;
  /** The market rates that the price is made of, from source to target: one, or two over pivotCurrency. Empty: not priced, or the record is of before the field. */
  priceLegs: readonly LifecycleLeg[];
  /** ISO 4217 code of the currency that the price goes over. Null: it goes over none, or there is no price. */
  pivotCurrency: string | null;
  /** Name and version of the limit rules in force when it was reserved, or when limits declined it, as name@version; those that it counts against are limitRuleIds. Null: neither, or before events named them. */
  limitRulesVersion: string | null;
  /** Which key debtorToken and creditorToken were made with: they name the same person only where it is the same. Null: accepted before records named it. */
  tokenKeyId: string | null;
}

/** One movement of money of one transfer. The movements of a transfer sum to zero in each currency. No personal data. Key: transferId. Unique: movementId. */
export interface TransferMoney {
  /** Id of the movement: UUIDv5 of the event, role, currency and code. */
  movementId: string;
  /** The row of transfer.lifecycle that says that the money moved. */
  eventId: string;
  /** The transfer. */
  transferId: string;
  /** Sequence of that row. */
  sequence: number;
  /** State that the row took: COMPLETED or RETURNED. */
  state: TransferState;
  /** The corridor that carries the transfer. Null: accepted before events named it. */
  corridorId: string | null;
  /** Producer that instructed it; null where nobody can tell. */
  producerId: string | null;
  /** Whose account it is on. */
  role: AccountRole;
  /** Which fee, or which tax. Null: of another role, or the row does not say. */
  code: string | null;
  /** ISO 4217 code of minor. */
  currency: string;
  /** Decimals of the currency: a minor unit is 10^-exponent of it. Null: the currency is not known. */
  exponent: number | null;
  /** What the account gains; below zero: what it gives. Never zero. */
  minor: bigint;
  /** When the stage took the state. */
  occurredAt: number;
  /** Version of the analytics contract that the record was made by. */
  contractVersion: number;
}

/** The exchange is priced. */
export interface TransferPriced {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
  /** The price in force. */
  price: Price;
  /** What a person approved for an earlier price of this transfer; absent on the first. */
  limitsApproval: LimitsApproval | null;
}

/** The transfer was declined; nothing was paid. A normal end. */
export interface TransferRejected {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. Absent when the transfer did not get that far. */
  screening: ScreeningEvidence | null;
  /** The price in force. Absent when the transfer did not get that far. */
  price: Price | null;
  /** Limits reserved. Absent when the transfer did not get that far. */
  reservation: Reservation | null;
  /** The payout. Absent when the transfer did not get that far. */
  payout: PayoutState | null;
  /** The stage that declined. */
  stage: Stage;
  /** Why, at least one. */
  reasons: readonly Reason[];
  /** Which limits stood against it. Null when limits did not decline. */
  limitsRefusal: LimitsRefusal | null;
}

/** A transfer intent, written by an upstream producer. Key: transferId. */
export interface TransferRequested {
  /** Chosen by the producer, unique for ever: 8 to 64 letters, digits, hyphens or underscores, a letter or digit first and last. A UUID is best. */
  transferId: string;
  /** Reference passed on to the beneficiary, at most 35 characters. */
  endToEndId: string;
  /** When the intent was made. */
  requestedAt: number;
  /** The amount that is fixed; positive. */
  instructedAmount: Money;
  /** SOURCE: instructedAmount is what the sender gives up. TARGET: what the beneficiary gets. */
  amountSide: AmountSide;
  /** ISO 4217 code of the debit. */
  sourceCurrency: string;
  /** ISO 4217 code of the credit; another than the source. */
  targetCurrency: string;
  /** Who bears the charges. */
  chargeBearer: ChargeBearer;
  /** ISO 20022 external purpose code. */
  purposeCode: string;
  /** ISO 8601 date of execution; today or absent. */
  requestedExecutionDate: string | null;
  /** Sender and beneficiary. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** The purpose in a country's own codes, where the corridor asks for it. */
  nationalPurpose: NationalPurpose | null;
  /** How the money came in. */
  funding: Funding | null;
  /** What a check of name and account said; the name that it found is with the parties. */
  payeeVerification: PayeeVerification | null;
  /** The arrangement that it is sent under, such as MTSS, RDA or LRS. */
  arrangement: string | null;
  /** Taxes that the producer takes with it. */
  taxes: readonly Tax[];
  /** How well the sender is known: the name of the tier, in capitals. */
  kycTier: string | null;
  /** What the sender has declared to have sent under this arrangement elsewhere in its current period. */
  declaredUse: Money | null;
  /** A guaranteed quote of the same producer, amount, side and currencies: the transfer has its price, or is declined. */
  quoteId: string | null;
}

/** All limits hold and are reserved. */
export interface TransferReserved {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
  /** The price in force. */
  price: Price;
  /** Limits reserved. */
  reservation: Reservation;
}

/** The money came back after it had been paid (ISO 20022 pacs.004). */
export interface TransferReturned {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
  /** The price in force. */
  price: Price;
  /** Limits reserved. */
  reservation: Reservation;
  /** The payout. */
  payout: PayoutState;
  /** Why it came back. */
  reasons: readonly Reason[];
}

/** The parties are cleared. */
export interface TransferScreened {
  /** Identity of this event. */
  envelope: Envelope;
  /** What was instructed. */
  instruction: Instruction;
  /** Personal data of the transfer, open or sealed. */
  parties: { 'corridor.Parties': Parties } | { 'corridor.SealedParties': SealedParties };
  /** Evidence of the screening decision. */
  screening: ScreeningEvidence;
}

/** State of a transfer after a transition. */
export type TransferState = 'UNKNOWN' | 'ACCEPTED' | 'SCREENED' | 'HELD' | 'PRICED' | 'RESERVED' | 'DISPATCHED' | 'REQUOTING' | 'COMPLETED' | 'REJECTED' | 'RETURNED' | 'DEAD_LETTERED';
