// IncrementalAlterConfigs version 0: the AlterConfigs that kafkajs speaks resets every setting that it is not told.
import { type Broker, createErrorFromCode, Decoder, Encoder, type WireCall } from './internals.ts';

const API_KEY = 44;
const TOPIC = 2;
const SET = 0;

interface Answer {
  readonly errors: readonly { readonly errorCode: number; readonly message: string | null }[];
}

/** Sets some of a topic's settings and leaves the others as they are. */
export async function setTopicConfig(
  broker: Broker,
  topic: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  await broker.connectionPool.send(alterConfigsCall(topic, config));
}

function alterConfigsCall(topic: string, config: Readonly<Record<string, string>>): WireCall<Answer> {
  const entries = Object.entries(config).map(([name, value]) =>
    new Encoder().writeString(name).writeInt8(SET).writeString(value),
  );
  return {
    request: {
      apiKey: API_KEY,
      apiVersion: 0,
      apiName: 'IncrementalAlterConfigs',
      encode: async () => {
        const resource = new Encoder().writeInt8(TOPIC).writeString(topic).writeArray(entries, 'object');
        return new Encoder().writeArray([resource], 'object').writeBoolean(false);
      },
    },
    response: {
      decode: async (raw) => {
        const decoder = new Decoder(raw);
        decoder.readInt32(); // throttle time
        const errors = decoder.readArray((resource) => {
          const errorCode = resource.readInt16();
          const message = resource.readString();
          resource.readInt8();
          resource.readString();
          return { errorCode, message };
        });
        return { errors };
      },
      parse: async (answer) => {
        const failed = answer.errors.find(({ errorCode }) => errorCode !== 0);
        if (failed === undefined) return answer;
        const error = createErrorFromCode(failed.errorCode);
        if (failed.message !== null) error.message = failed.message;
        throw error;
      },
    },
  };
}
