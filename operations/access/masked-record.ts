// A decoded record as somebody may see it, of whatever topic. Text is masked unless its field is known to name nobody. Pure.
import { maskedName, type Sight } from './masking.ts';

/** Fields that hold persons, what a list says of them, or text that somebody typed. */
const PERSONAL: ReadonlySet<string> = new Set([
  ...['parties', 'candidates', 'justification', 'reason', 'detail', 'reference', 'content', 'asked'],
]);
/** Names and texts of persons: enough is shown to tell two apart. */
const NAMES: ReadonlySet<string> = new Set([
  ...['name', 'matchedName', 'verifiedPayeeName', 'remittanceInformation', 'justification', 'reason', 'detail'],
]);
/** Within those, what names nobody. */
const PLAIN_WITHIN: ReadonlySet<string> = new Set(['kind', 'scheme', 'role', 'source', 'entityId', 'code', 'outcome']);
/**
 * Fields elsewhere whose text names nobody: ids and versions of ours, codes, currencies, rates. A test holds every field of every
 * schema to be one of them, or to be masked.
 */
export const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  ...[
    'approvalHash',
    'approvalId',
    'attemptKey',
    'causationId',
    'claimId',
    'commandId',
    'configurationHash',
    'contentHash',
  ],
  ...[
    'entryId',
    'eventId',
    'evidenceHash',
    'exceptionId',
    'firstOriginPosition',
    'holdId',
    'movementId',
    'originPosition',
  ],
  ...[
    'partOf',
    'payoutAttemptKey',
    'payoutId',
    'quoteId',
    'rateId',
    'rateSnapshotId',
    'rawHash',
    'replayId',
    'requestId',
  ],
  ...['reservationId', 'snapshotId', 'topicId', 'transferId', 'uetr', 'versionId', 'creditorToken', 'debtorToken'],
  ...['fundingToken', 'intermediaryTokens', 'member', 'subjectToken', 'verifiedNameToken', 'tokenKeyId', 'seal'],
  ...[
    'brokenRules',
    'configuration',
    'engineVersion',
    'limitRuleIds',
    'limitRules',
    'limitRulesVersion',
    'reviewRules',
  ],
  ...['ruleId', 'ruleIds', 'screeningConfiguration', 'screeningLists', 'set', 'termId', 'termIds', 'termsVersion'],
  ...[
    'transferRules',
    'version',
    'arrangement',
    'authority',
    'code',
    'kycTier',
    'market',
    'nationalPurpose',
    'purposeCode',
  ],
  ...[
    'reasonCode',
    'reasonCodes',
    'relation',
    'scheme',
    'kind',
    'producerId',
    'provider',
    'source',
    'sources',
    'owner',
  ],
  ...['corridor', 'corridorId', 'corridorIds', 'sourceCountry', 'targetCountry', 'sourceCurrency', 'targetCurrency'],
  ...[
    'base',
    'currency',
    'instructedCurrency',
    'pivotCurrency',
    'quote',
    'customerRate',
    'fromRate',
    'midRate',
    'rate',
  ],
  ...['residual', 'publishedOn', 'requestedExecutionDate', 'valueDate', 'window', 'topic'],
  // Enumerations.
  ...[
    'action',
    'amountSide',
    'change',
    'chargeBearer',
    'decision',
    'decidedOn',
    'eventKind',
    'fundingMethod',
    'method',
  ],
  ...[
    'metric',
    'outcome',
    'payeeVerification',
    'previousState',
    'result',
    'role',
    'rounding',
    'screeningOutcome',
    'stage',
  ],
  ...['state', 'status'],
]);
const BRANCH = 'corridor.';
const HIDDEN = '•••';
/** An id, a code, a date: one word. */
const WORD = /^\S{0,200}$/;

/** As JSON has it: whole numbers that are larger than JSON's are text, bytes are their number. */
export type ShownValue =
  | string
  | number
  | boolean
  | null
  | readonly ShownValue[]
  | { readonly [key: string]: ShownValue };

export const maskedRecord = (value: unknown, sight: Sight): ShownValue =>
  shown('', value, { sight, isPersonal: false });

interface Looking {
  readonly sight: Sight;
  /** Within what is personal. */
  readonly isPersonal: boolean;
}

function shown(key: string, value: unknown, looking: Looking): ShownValue {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((each) => shown(key, each, looking));
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === 'object') {
    const [branch, ...others] = Object.keys(value);
    // A union names its branch; paths of patches do not.
    if (others.length === 0 && branch?.startsWith(BRANCH)) {
      return shown(key, (value as Readonly<Record<string, unknown>>)[branch], looking);
    }
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => {
        const isPersonal = looking.isPersonal || PERSONAL.has(name);
        return [name, shown(name, each, { ...looking, isPersonal })];
      }),
    );
  }
  return scalar(key, value as string | number | bigint | boolean, looking);
}

function scalar(key: string, value: string | number | bigint | boolean, { sight, isPersonal }: Looking): ShownValue {
  const plain = typeof value === 'bigint' ? String(value) : value;
  if (sight === 'full' || typeof plain === 'boolean') return plain;
  const isText = typeof value === 'string';
  if ((isPersonal ? PLAIN_WITHIN : PLAIN_FIELDS).has(key) && (!isText || WORD.test(value))) return plain;
  if (!isPersonal) return isText ? maskedName(value, sight) : plain;
  return NAMES.has(key) && isText ? maskedName(value, sight) : HIDDEN;
}
