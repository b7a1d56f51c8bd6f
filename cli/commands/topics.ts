// `corridor topics plan|apply`
import type { Command } from 'commander';
import { CodedError } from '../../ports/fault.ts';
import { applyResume, planResume, type Resumption } from '../../runtime/progress/resume.ts';
import { applyTopics, type ClusterPlan, planTopics } from '../../runtime/provision.ts';
import type { Connections } from '../../services/connections.ts';
import { type ProcessParts, partsFrom } from '../../services/process-parts/part-selection.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, toJson, withJson } from '../output.ts';

interface TopicOptions {
  readonly json?: boolean;
  readonly allowShrink?: boolean;
}

export function registerTopics(program: Command): void {
  const topics = program
    .command('topics')
    .description('topics and group offsets: what a cluster lacks, and creating it');
  registerResume(topics);

  withJson(topics.command('plan'))
    .description('show how the cluster differs from what the pipeline needs; changes nothing')
    .option('--allow-shrink', 'plan shorter retention and smaller messages too')
    .addHelpText('after', '\nExample:\n  corridor topics plan')
    .action((options: TopicOptions) =>
      withConnections(async (connections) => {
        const admin = await connections.log.admin();
        const planned = await planTopics(admin, provisionOptions(connections, options));
        await admin.close();
        printPlan(planned, options.json);
        if (planned.refusals.length > 0) process.exitCode = 1;
      }),
    );

  withJson(topics.command('apply'))
    .description('create topics, add partitions, alter configuration, give each group its first offsets')
    .option('--allow-shrink', 'permit shorter retention and smaller messages')
    .addHelpText(
      'after',
      '\nExamples:\n  corridor topics apply\n  CORRIDOR_CHAIN_PARTITIONS=12 corridor topics apply   (raises all topics, also under load)',
    )
    .action((options: TopicOptions) =>
      withConnections(async (connections) => {
        const admin = await connections.log.admin();
        const applied = await applyTopics(admin, provisionOptions(connections, options));
        await admin.close();
        printPlan(applied, options.json);
      }),
    );
}

function registerResume(topics: Command): void {
  withJson(topics.command('resume <processor>'))
    .description('show where a processor goes on whose offsets were lost or set back, by what its outputs prove')
    .option('--apply', 'set these offsets')
    .addHelpText(
      'after',
      '\nBefore --apply, stop every process that runs this processor.\n\nExamples:\n  corridor topics resume screening\n  corridor topics resume screening --apply',
    )
    .action((name: string, { apply, json }: ResumeCommand) => {
      const processor = oneProcessor(name);
      return withConnections(async ({ config, log }) => {
        const admin = await log.admin();
        const options = { app: config.appName, processor, rings: config.keys };
        const due = await planResume(admin, log.reader(), options);
        const set = apply ? await applyResume(admin, options, due) : undefined;
        await admin.close();
        printResume(due, { set, json });
        if (set && set.length < due.length) process.exitCode = 1;
      });
    });
}

/** @throws CodedError */
export function oneProcessor(name: string): ProcessParts['processors'][number] {
  const { processors } = partsFrom({ processors: name });
  const [processor] = processors;
  if (processor !== undefined && processors.length === 1) return processor;
  throw new CodedError('PART_UNKNOWN', `"${name}" is not one processor: name one at a time`, { faultClass: 'fatal' });
}

interface ResumeCommand {
  readonly apply?: boolean | undefined;
  readonly json?: boolean | undefined;
}

interface ResumeShown {
  /** What was set of it; undefined: nothing was to be. */
  readonly set: readonly Resumption[] | undefined;
  readonly json: boolean | undefined;
}

function printResume(due: readonly Resumption[], { set, json }: ResumeShown): void {
  if (json) {
    console.log(toJson(set ?? due));
    return;
  }
  if (due.length === 0) {
    print('every offset is where its processor has come to');
    return;
  }
  printRows(
    due.map((each) => ({
      what: set === undefined ? 'to set' : set.includes(each) ? 'set' : 'NOT SET',
      name: `${each.topic}/${each.partition}`,
      detail:
        set === undefined || set.includes(each) ? moveOf(each) : 'changed meanwhile: stop its processes, look again',
    })),
    ['what', 'name', 'detail'],
  );
}

const moveOf = ({ committed, offset, proven }: Resumption) =>
  `${committed ?? 'none'} -> ${offset} ${proven ? '(proven)' : '(nothing came of it yet: from the start)'}`;

function provisionOptions({ config }: Connections, { allowShrink }: TopicOptions) {
  const { chainPartitions, replicationFactor } = config.kafka;
  return { app: config.appName, chainPartitions, replicationFactor, ...(allowShrink ? { allowShrink } : {}) };
}

function printPlan(planned: ClusterPlan, json?: boolean): void {
  if (json) {
    console.log(toJson(planned));
    return;
  }
  const rows = [
    ...planned.changes.map((change) =>
      change.kind === 'create'
        ? { what: 'create', name: change.topic.name, detail: `${change.topic.partitions} partitions` }
        : change.kind === 'add-partitions'
          ? { what: 'raise', name: change.topic, detail: `${change.from} -> ${change.to} partitions` }
          : { what: 'alter', name: change.topic, detail: differences(change.was, change.config) },
    ),
    ...planned.groupsToInitialise.map((name) => ({ what: 'offsets', name, detail: 'from the start' })),
    ...planned.refusals.map(({ topic, code, detail }) => ({
      what: 'REFUSED',
      name: topic,
      detail: `${detail} (${code})`,
    })),
  ];
  if (rows.length === 0) print('the cluster has everything');
  else printRows(rows, ['what', 'name', 'detail']);
}

const differences = (was: Record<string, string>, config: Record<string, string>) =>
  Object.entries(config)
    .map(([key, value]) => `${key} ${was[key]} -> ${value}`)
    .join(', ');
