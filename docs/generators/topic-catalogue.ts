// The topic catalogue: every contract with who writes and who reads it.
import { analyticsConsumers, auditConsumers, consumers, topology } from '../../processors/topology.ts';
import { BESIDE_GRAINS, GRAINS } from '../../topics/analytics-contract.ts';
import { contracts } from '../../topics/catalogue.ts';
import { DAY_MS } from '../../topics/contract.ts';
import { RETRY_TIERS, recoveryTopics } from '../../topics/recovery.ts';

const pipeline = Object.entries({ ...topology, ...consumers, ...auditConsumers, ...analyticsConsumers }) as [
  string,
  { reads: readonly { name: string }[]; writes: readonly { name: string }[]; follows?: readonly { name: string }[] },
][];

const OUTSIDE_WRITERS: Readonly<Record<string, string>> = {
  'transfer.requested': 'producers',
  'review.decided': 'operators',
  'transfer.lifecycle': 'every stage',
  'fx.position': 'fx-pricing, limits, payout-dispatch, settlement',
  'fx.rates': 'rate feed',
  'fx.accepted-rates': 'fx-pricing',
  'fx.jumps-accepted': 'operators',
  'policy.versions': 'operators',
  'reference.versions': 'screening, fx-pricing, limits, payout-executor',
  'limits.snapshots': '`corridor limits snapshot`',
  'screening.list-activated': 'operators',
  'screening.exception-revoked': 'operators',
  'runtime.controls': 'operators',
  'audit.entries': 'every program that lets people act',
};

const forAnalysts: ReadonlySet<string> = new Set([...GRAINS, ...BESIDE_GRAINS].map(({ topic }) => topic));

export function topicCatalogue(): string {
  const rows = Object.values(contracts).map((contract) => {
    const has = (topics: readonly { name: string }[] | undefined) => topics?.some(({ name }) => name === contract.name);
    const writers = pipeline.filter(([, { writes }]) => has(writes)).map(([name]) => name);
    const readers = pipeline.filter(([, { reads, follows }]) => has(reads) || has(follows)).map(([name]) => name);
    const outside = OUTSIDE_WRITERS[contract.name];
    const cells = [
      `\`${contract.name}\``,
      contract.doc,
      `[${contract.record}](../schemas/avro/${contract.record}.avsc)`,
      contract.kind,
      [...writers, ...(outside ? [outside] : [])].join(', '),
      [...readers, ...(forAnalysts.has(contract.name) ? ['analysts'] : [])].join(', ') || 'auditors',
      contract.keepsAll || (contract.cleanup === 'delete' && contract.retentionMs === null)
        ? 'for ever'
        : contract.cleanup === 'compact'
          ? 'compacted'
          : `${contract.cleanup === 'delete' ? '' : 'compacted, '}${(contract.retentionMs ?? 0) / DAY_MS} days`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head = [
    '| topic | what it says | record | kind | written by | read by | kept |',
    '|---|---|---|---|---|---|---|',
  ];
  const recovery = recoveryTopics('<processor>').map(
    (topic) => `| \`${topic.name}\` | ${RECOVERY_DOC[topic.kind]} | ${topic.retentionMs / DAY_MS} days |`,
  );
  return [
    ...head,
    ...rows,
    '',
    `Beside these, each processor and sink has topics of raw records (retry tiers: ${RETRY_TIERS.map((t) => t.suffix).join(', ')}):`,
    '',
    '| topic | what it holds | kept |',
    '|---|---|---|',
    ...recovery,
  ].join('\n');
}

const RECOVERY_DOC = {
  retry: 'records that wait to be tried again',
  replay: 'dead letters sent back by an operator',
  dlq: 'dead letters: the raw record, with why and where from in headers',
} as const;
