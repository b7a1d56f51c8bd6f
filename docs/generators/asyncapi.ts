// AsyncAPI 3 of the topics that others write or read: producers and analysts.
import { stringify } from 'yaml';
import { selfContained } from '../../schemas/load.ts';
import { BESIDE_GRAINS, CONTRACT_VERSION, GRAINS } from '../../topics/analytics-contract.ts';
import { type AnyContract, contracts } from '../../topics/catalogue.ts';
import { HEADER } from '../../topics/headers.ts';

/** Topics of these kinds are for others than Corridor's own processes. */
const PUBLIC: ReadonlySet<string> = new Set(['intent', 'outcome', 'analytics']);
export const publicContracts: readonly AnyContract[] = Object.values(contracts).filter(
  ({ kind, name }) => PUBLIC.has(kind) || [...GRAINS, ...BESIDE_GRAINS].some(({ topic }) => topic === name),
);

const AVRO = 'application/vnd.apache.avro;version=1.9.0';
const HEADER_DOCS: Readonly<Record<string, string>> = {
  [HEADER.eventId]: 'The id of the event, as in the value.',
  [HEADER.eventType]: 'Name of the Avro record.',
  [HEADER.traceparent]: 'W3C trace context, where the producer gave one.',
  [HEADER.seal]: 'Proof for processes of Corridor that it is theirs; nothing for readers.',
};

export function asyncApi(): string {
  const document = {
    asyncapi: '3.1.0',
    info: {
      title: 'Corridor',
      version: `${CONTRACT_VERSION}.0.0`,
      description:
        'Topics of Corridor that others write (producers) or read (producers, analysts). Read committed records only.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/vnd.apache.avro',
    channels: Object.fromEntries(publicContracts.map((contract) => [contract.name, channelOf(contract)])),
    operations: Object.fromEntries(publicContracts.map((contract) => [operationName(contract), operationOf(contract)])),
    components: {
      messages: Object.fromEntries(publicContracts.map((contract) => [contract.record, messageOf(contract)])),
    },
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function channelOf({ name, doc, record, cleanup, retentionMs, maxMessageBytes }: AnyContract) {
  return {
    address: name,
    description: doc,
    messages: { [record]: { $ref: `#/components/messages/${record}` } },
    bindings: {
      kafka: {
        topic: name,
        topicConfiguration: {
          'cleanup.policy': cleanup.split(','),
          ...(retentionMs !== null && { 'retention.ms': retentionMs }),
          'max.message.bytes': maxMessageBytes,
        },
        bindingVersion: '0.5.0',
      },
    },
  };
}

const isRead = ({ kind }: AnyContract): boolean => kind === 'intent';
const operationName = (contract: AnyContract): string => `${isRead(contract) ? 'take' : 'tell'}-${contract.name}`;

/** As the specification has it, `receive` and `send` are what Corridor does. */
function operationOf(contract: AnyContract) {
  return {
    action: isRead(contract) ? 'receive' : 'send',
    channel: { $ref: `#/channels/${contract.name}` },
    summary: isRead(contract) ? 'Producers write, Corridor reads.' : 'Corridor writes, producers and analysts read.',
  };
}

const KEY_OF_TABLE: Readonly<Record<string, string>> = {
  AnalyticsWatermark: 'Topic and partition, as topic/partition.',
  FxRateRecord: 'source/base/quote.',
  ReferenceVersion: 'The versionId: kind/id/version.',
};

function messageOf({ record, kind }: AnyContract) {
  const key = KEY_OF_TABLE[record] ?? 'The transferId, as UTF-8.';
  return {
    name: record,
    contentType: 'application/vnd.apache.avro',
    headers: { type: 'object', properties: headersOf(kind) },
    payload: { schemaFormat: AVRO, schema: selfContained(`corridor.${record}`) },
    bindings: {
      kafka: {
        key: { type: 'string', description: key },
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: 'confluent',
        schemaLookupStrategy: 'TopicIdStrategy',
        bindingVersion: '0.5.0',
      },
    },
  };
}

function headersOf(kind: string) {
  const names =
    kind === 'intent' ? [HEADER.traceparent, HEADER.producer, HEADER.producerSeal] : Object.keys(HEADER_DOCS);
  return Object.fromEntries(
    names.map((name) => [
      name,
      { type: 'string', description: HEADER_DOCS[name] ?? 'Who it is from, and the proof: docs/producers.md.' },
    ]),
  );
}
