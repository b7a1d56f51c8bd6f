// The report of a day for analysts: what it reads, and the library that draws it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ChartLibrary } from '../operations/analytics/day-report/page.ts';
import { DAY_REPORT_TOPICS, type DayReport, readDay } from '../operations/analytics/day-report/read-day.ts';
import type { Connections } from './connections.ts';
import { topicIdsOf } from './exports.ts';

/** @param day when it begins, ms since 1970, at midnight UTC. @throws CodedError as `readDay` */
export async function reportDay(
  { log, codec, config }: Pick<Connections, 'log' | 'codec' | 'config'>,
  day: number,
  onProgress: (done: number, of: number) => void,
): Promise<DayReport> {
  await codec.load(DAY_REPORT_TOPICS);
  const topicIds = await topicIdsOf(log, DAY_REPORT_TOPICS);
  return readDay({ reader: log.reader(), codec, rings: config.keys, topicIds }, day, {
    madeAt: Date.now(),
    onProgress,
  });
}

/** uPlot, as its package ships it. */
export function chartLibrary(): ChartLibrary {
  const folder = path.dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.iife.min.js'));
  const read = (file: string) => readFileSync(path.join(folder, file), 'utf8');
  return { script: read('uPlot.iife.min.js'), style: read('uPlot.min.css') };
}
