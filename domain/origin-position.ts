// Where an intent stands in the log: topicId:partition:offset. It never changes, also through retries and replays.

export interface OriginPosition {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
}

export const formatOrigin = ({ topicId, partition, offset }: OriginPosition): string =>
  `${topicId}:${partition}:${offset}`;

/** The position in a string, or undefined when it is none. */
export function parseOrigin(text: string): OriginPosition | undefined {
  const match = /^(.+):(\d{1,10}):(\d{1,16})$/.exec(text);
  if (match === null) return undefined;
  const [, topicId, partition, offset] = match;
  return { topicId: topicId!, partition: Number(partition), offset: Number(offset) };
}
