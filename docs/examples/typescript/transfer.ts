// Publishes one transfer intent and follows it to its end, with nothing of Corridor's own code:
//
//   npm install kafkajs @kafkajs/confluent-schema-registry
//   node transfer.ts --brokers 127.0.0.1:9092 --registry http://127.0.0.1:8081/apis/ccompat/v7
//
// Prints one line per transition, as JSON. Exits 0 when the transfer completes, 1 when it ends otherwise, 2 when nothing
// is heard of it in time.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

// What Corridor writes is compressed with zstd, which kafkajs must be taught.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer),
  decompress: async (bytes: Buffer) => zstdDecompressSync(bytes),
});

const INTENTS = 'transfer.requested';
const LIFECYCLE = 'transfer.lifecycle';
const ENDS = ['COMPLETED', 'REJECTED', 'HELD', 'RETURNED', 'DEAD_LETTERED'];

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    registry: { type: 'string', default: 'http://127.0.0.1:8081/apis/ccompat/v7' },
    timeout: { type: 'string', default: '60' },
  },
});

const transferId = randomUUID();

/** 25.00 GBP from London to Mumbai. Amounts are integers in minor units, never floats. */
const intent = {
  transferId,
  endToEndId: `TS-${transferId}`.slice(0, 35),
  requestedAt: Date.now(),
  instructedAmount: { minor: 2_500, currency: 'GBP' },
  amountSide: 'SOURCE',
  sourceCurrency: 'GBP',
  targetCurrency: 'INR',
  chargeBearer: 'SLEV',
  purposeCode: 'DEPD',
  requestedExecutionDate: null,
  parties: {
    // Two records may stand here, so the branch is named.
    'corridor.Parties': {
      debtor: party('customer', 'Amelia Hargreaves', '1984-03-12', 'GB', 'Leeds', {
        scheme: 'IBAN',
        value: 'GB29NWBK60161331926819',
        agent: null,
      }),
      creditor: party('beneficiary', 'Rohan Deshpande', '1979-11-02', 'IN', 'Pune', {
        scheme: 'BBAN',
        value: '502100331488',
        agent: 'HDFC0000077',
      }),
      remittanceInformation: 'school fees',
      // Whoever else takes part, where there is somebody: an agent, or who the money is from or for in the end.
      intermediaries: [
        {
          role: 'INTERMEDIARY_AGENT',
          customerId: null,
          kind: 'ORGANISATION',
          name: 'Sahyadri Settlement Bank',
          birthDate: null,
          country: 'IN',
          nationalities: [],
          identifiers: [{ scheme: 'BIC', value: 'QQSAINBBXXX', country: null }],
          address: null,
          // Its BIC says where it is.
          postalAddress: null,
          birthPlace: null,
        },
      ],
      verifiedPayeeName: null,
    },
  },
  // What a corridor may ask for beside: docs/corridors.md.
  nationalPurpose: null,
  funding: { method: 'ACCOUNT', receivedAt: null, reference: null },
  payeeVerification: null,
  arrangement: null,
  taxes: [],
  kycTier: null,
  declaredUse: null,
  quoteId: null,
};

function party(role: string, name: string, birthDate: string, country: string, town: string, account: object) {
  return {
    customerId: `${role}-${transferId}`,
    kind: 'PERSON',
    name,
    birthDate,
    country,
    nationalities: [country],
    identifiers: [],
    address: null,
    // Town and country in fields: since 14 November 2026 one line is no address.
    postalAddress: { street: null, building: null, postCode: null, town, subdivision: null, country, lines: [] },
    birthPlace: null,
    account,
  };
}

const registry = new SchemaRegistry({ host: values.registry });
const kafka = new Kafka({ clientId: 'example', brokers: values.brokers.split(','), logLevel: logLevel.ERROR });

// Read from the present ends on, taken before the intent is published, so that nothing of it is missed.
const consumer = kafka.consumer({ groupId: `typescript-example-${randomUUID()}` });
await consumer.connect();
await consumer.subscribe({ topic: LIFECYCLE, fromBeginning: false });
const joined = new Promise<void>((resolve) => consumer.on(consumer.events.FETCH_START, () => resolve()));
const ended = new Promise<string>((resolve, reject) => {
  const eachMessage = async ({ message }: { message: { key: Buffer | null; value: Buffer | null } }) => {
    if (message.key?.toString() !== transferId || message.value === null) return;
    const record = (await registry.decode(message.value)) as { state: string };
    console.log(JSON.stringify(record));
    if (ENDS.includes(record.state)) resolve(record.state);
  };
  consumer.run({ autoCommit: false, eachMessage }).catch(reject);
});
await joined;

// The registered schema is used as it is: a producer does not register one.
const schemaId = await registry.getLatestSchemaId(`${INTENTS}-value`);
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
await producer.send({
  topic: INTENTS,
  acks: -1,
  messages: [{ key: transferId, value: await registry.encode(schemaId, intent) }],
});
await producer.disconnect();

const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), Number(values.timeout) * 1_000));
const state = await Promise.race([ended, late]);
await consumer.disconnect();
if (state === undefined) console.error(`nothing final was heard of ${transferId} within ${values.timeout} s`);
process.exit(state === undefined ? 2 : state === 'COMPLETED' ? 0 : 1);
