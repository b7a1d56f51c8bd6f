// Limit rules as a policy: what a rule counts never changes under its id, and what changes is said rule by rule. Pure.
import { checkLimitRules, type LimitRule, type LimitRuleSet, ruleSetName } from '../../domain/limits/limit-rules.ts';
import { limitRulesFile } from '../../processors/limits/rule-file.ts';
import { canonicalJson } from '../approvals/acts.ts';
import type { PolicyTerms } from './ports.ts';

/** @param configured the set that the configuration holds @param corridors ids of the corridors that there are */
export function limitsPolicy(
  configured: () => LimitRuleSet,
  corridors: () => readonly string[],
): PolicyTerms<LimitRuleSet> {
  return {
    kind: 'limits',
    configured,
    nameOf: ruleSetName,
    read: readLimitRules,
    faults: (set, before) => [
      ...strangeCorridors(set, corridors()),
      ...reusedIds(set, before),
      ...reusedName(set, before),
    ],
    changes: (from, to) => changesOf(from.rules, to.rules),
  };
}

/** A set of the second form. @throws ZodError, DomainError LIMIT_RULES_INVALID */
export function readLimitRules(content: unknown): LimitRuleSet {
  const set = limitRulesFile.parse(content);
  checkLimitRules(set.rules);
  return set;
}

function strangeCorridors({ rules }: LimitRuleSet, known: readonly string[]): readonly string[] {
  const strange = rules.flatMap(({ where }) => (where.corridors ?? []).filter((id) => !known.includes(id)));
  return [...new Set(strange)].map((id) => `there is no corridor ${id}: a rule on it would count nothing`);
}

/** What is counted under an id: whose, of what, in what. Which transfers are counted, and how much may be, can change. */
const countedBy = ({ subject, provider, metric, window }: LimitRule): string =>
  canonicalJson({ subject, provider: provider ?? null, metric, window });

function reusedIds({ rules }: LimitRuleSet, before: readonly LimitRuleSet[]): readonly string[] {
  return rules.flatMap((rule) => {
    const other = before
      .flatMap((set) => set.rules.map((known) => ({ known, set })))
      .find(({ known }) => known.ruleId === rule.ruleId && countedBy(known) !== countedBy(rule));
    if (other === undefined) return [];
    return [`${rule.ruleId} counted something else in ${ruleSetName(other.set)}: give the rule another id`];
  });
}

function reusedName(set: LimitRuleSet, before: readonly LimitRuleSet[]): readonly string[] {
  const said = canonicalJson(set);
  const other = before.find((known) => ruleSetName(known) === ruleSetName(set) && canonicalJson(known) !== said);
  return other === undefined ? [] : [`${ruleSetName(set)} is the name of other rules: raise its version`];
}

function changesOf(from: readonly LimitRule[], to: readonly LimitRule[]): readonly string[] {
  const [old, now] = [byId(from), byId(to)];
  return [
    ...to.filter(({ ruleId }) => !old.has(ruleId)).map((rule) => `+ ${rule.ruleId}: ${inWords(rule)}`),
    ...from.filter(({ ruleId }) => !now.has(ruleId)).map((rule) => `- ${rule.ruleId}: ${inWords(rule)}`),
    ...to.flatMap((rule) => fieldsChanged(old.get(rule.ruleId), rule)),
  ];
}

const byId = (rules: readonly LimitRule[]) => new Map(rules.map((rule) => [rule.ruleId, rule]));

/** All that it says: what is left out of a summary is what switches a limit off unseen. */
const inWords = ({ ruleId: _, ...rule }: LimitRule): string => canonicalJson(rule);

function fieldsChanged(from: LimitRule | undefined, to: LimitRule): readonly string[] {
  if (from === undefined) return [];
  const [before, after] = [from, to].map((rule) => Object.entries(rule).filter(([, value]) => value !== undefined));
  const names = [...new Set([...before!, ...after!].map(([name]) => name))] as (keyof LimitRule)[];
  return names.flatMap((name) => {
    const [was, is] = [canonicalJson(from[name] ?? null), canonicalJson(to[name] ?? null)];
    return was === is ? [] : [`~ ${to.ruleId}.${name}: ${was} -> ${is}`];
  });
}
