// What the writer of the grains commits beside an offset: of which topic the offset is. Pure.

export const grainNote = (topicId: string, nextOffset: number): string => `${topicId} ${nextOffset}`;

/** Whether it stands beside an offset of this topic; a note that is empty, since somebody set the offset, does not. */
export const isOfTopic = (note: string, topicId: string): boolean => note.split(' ')[0] === topicId;
