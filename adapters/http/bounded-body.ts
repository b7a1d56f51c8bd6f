// Bodies of requests and answers, read whole and never beyond a bound.

/** All bytes of a body; undefined when there are more than `most`: then the rest is not read, and its connection is given up. */
export async function boundedBody(
  body: AsyncIterable<Uint8Array> | null | undefined,
  most: number,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
