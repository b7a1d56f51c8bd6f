// `corridor topics plan|apply`
import type { Command } from 'commander';
import { groupId } from '../../runtime/names.ts';
import { applyTopics, type ClusterPlan, planTopics } from '../../runtime/provision.ts';
import { planResume, type Resumption } from '../../runtime/resume.ts';
import { partsFrom } from '../compose/pipeline.ts';
import { type Connections, withConnections } from '../connect.ts';
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
    .addHelpText('after', '\nExamples:\n  corridor topics resume screening\n  corridor topics resume screening --apply')
    .action((name: string, { apply, json }: ResumeCommand) =>
      withConnections(async ({ config, log }) => {
        const admin = await log.admin();
        const [processor] = partsFrom({ processors: name }).processors;
        const options = { app: config.appName, processor: processor!, rings: config.keys };
        const due = await planResume(admin, log.reader(), options);
        if (apply) await admin.setOffsets(groupId(config.appName, processor!), due);
        await admin.close();
        printResume(due, { apply, json });
      }),
    );
}

interface ResumeCommand {
  readonly apply?: boolean | undefined;
  readonly json?: boolean | undefined;
}

function printResume(due: readonly Resumption[], { apply, json }: ResumeCommand): void {
  if (json) {
    console.log(toJson(due));
    return;
  }
  if (due.length === 0) {
    print('every offset is where its processor has come to');
    return;
  }
  printRows(
    due.map(({ topic, partition, committed, offset, proven }) => ({
      what: apply ? 'set' : 'to set',
      name: `${topic}/${partition}`,
      detail: `${committed ?? 'none'} -> ${offset} ${proven ? '(proven)' : '(nothing came of it yet: from the start)'}`,
    })),
    ['what', 'name', 'detail'],
  );
}

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
