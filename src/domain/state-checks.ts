/** Checks that facts alone answer. */
import { type Check, judged } from './check.ts';
import { aheadOfMedian, CLOCK_REFUSE_MS, CLOCK_WARN_MS, wordOffset } from './clock.ts';
import { databaseUse, QUOTA_CRITICAL, QUOTA_WARN, wordFree, wordUse } from './database-use.ts';
import type { EndpointFacts, Facts } from './facts.ts';
import type { ClusterHealth } from './health.ts';
import type { MetricsFacts } from './metrics.ts';

export interface StateCheckInput {
  readonly facts: Facts;
  readonly health: ClusterHealth;
  readonly metrics: MetricsFacts;
  /** Leaders elected within the last hour as the member saw it that saw most; undefined where no journal was read. */
  readonly elections: number | undefined;
}

/** In the order in which they are told. */
export function stateChecks(input: StateCheckInput): readonly Check[] {
  const answers = Object.values(input.facts.endpoints).filter((each) => each.failure === undefined);
  return [
    hostsCheck(input.facts),
    membersCheck(input.health),
    leaderCheck(answers),
    churnCheck(input),
    alarmsCheck(input.health, answers),
    ...databaseChecks(input),
    clockCheck(input.facts),
  ];
}

function hostsCheck({ hosts, unreachable }: Facts): Check {
  const reached = Object.keys(hosts).length;
  const all = reached + Object.keys(unreachable).length;
  const seen = `${reached} of ${all} reached`;
  const details = Object.values(unreachable);
  return judged({ id: 'hosts', title: 'every host can be looked at', seen }, { state: 'warning', details });
}

function membersCheck({ members, state, problems }: ClusterHealth): Check {
  const healthy = members.filter((each) => each.healthy).length;
  const details = [...members.flatMap((each) => each.problems.map((text) => named(each.name, text))), ...problems];
  const check = { id: 'members', title: 'every member of the inventory is healthy, and there is no other' };
  return judged(
    { ...check, seen: `${healthy} of ${members.length} healthy${state === 'no-quorum' ? ', NO QUORUM' : ''}` },
    { state: state === 'no-quorum' ? 'critical' : 'warning', details },
  );
}

function named(host: string, text: string): string {
  return text.startsWith(`${host}: `) ? text : `${host}: ${text}`;
}

function leaderCheck(answers: readonly EndpointFacts[]): Check {
  const check = { id: 'leader', title: 'all members follow one leader' };
  const leaders = [...new Set(answers.map((each) => each.leaderId))];
  const terms = new Set(answers.map((each) => each.raftTerm));
  const [only = '0'] = leaders;
  const known = leaders.length === 1 && !/^0+$/.test(only);
  const name = answers.find((each) => each.memberId === only)?.host ?? only;
  const details = known ? [] : answers.map((each) => `${each.host} follows ${each.leaderId} in term ${each.raftTerm}`);
  const none = answers.length === 0 ? ['no member answers'] : [];
  const seen = known ? `${name}, term ${[...terms].join(', ')}` : `${leaders.length} answers`;
  return judged({ ...check, seen }, { state: 'critical', details: [...details, ...none] });
}

/** So many elections within an hour are more than restarts of members explain. */
const MANY_ELECTIONS = 4;

function churnCheck({ elections }: StateCheckInput): Check {
  const check = { id: 'leader-churn', title: 'the leader stays' };
  if (elections === undefined) {
    return { ...check, state: 'skipped', seen: 'not seen', details: ['no journal could be read'] };
  }
  const details =
    elections < MANY_ELECTIONS
      ? []
      : [`${elections} leaders were elected within an hour (limit ${MANY_ELECTIONS - 1})`];
  return judged({ ...check, seen: `${elections} elections within an hour` }, { state: 'warning', details });
}

function alarmsCheck({ alarms }: ClusterHealth, answers: readonly EndpointFacts[]): Check {
  const check = { id: 'alarms', title: 'no alarm is raised' };
  if (answers.length === 0) return { ...check, state: 'skipped', seen: 'not seen', details: ['no member answers'] };
  const seen = alarms.length === 0 ? 'none' : alarms.join(', ');
  return judged({ ...check, seen }, { state: 'critical', details: alarms });
}

function databaseChecks({ facts, metrics }: StateCheckInput): readonly Check[] {
  const uses = databaseUse(facts, metrics);
  const quota = { id: 'quota', title: `the database uses less than ${QUOTA_WARN * 100} % of its quota` };
  const pages = { id: 'fragmentation', title: 'less than half of a large database is free pages' };
  const [fullest] = uses.toSorted((left, right) => (right.used ?? 0) - (left.used ?? 0));
  if (fullest === undefined) {
    const none = { state: 'skipped', seen: 'not seen', details: ['no member answers'] } as const;
    return [
      { ...quota, ...none },
      { ...pages, ...none },
    ];
  }
  const full = uses.filter((each) => (each.used ?? 0) >= QUOTA_WARN);
  const critical = full.some((each) => (each.used ?? 0) >= QUOTA_CRITICAL);
  const unknown = uses
    .filter((each) => each.used === undefined)
    .map((each) => `${each.host}: its metrics cannot be read`);
  const fragmented = uses.filter((each) => each.fragmented);
  return [
    judged(
      { ...quota, seen: wordUse(fullest) },
      {
        state: critical ? 'critical' : 'warning',
        details: [...full.map((each) => `${each.host}: ${wordUse(each)}`), ...unknown],
      },
    ),
    judged(
      { ...pages, seen: wordFree(uses.toSorted((left, right) => right.free - left.free)[0] ?? fullest) },
      { state: 'warning', details: fragmented.map((each) => `${each.host}: ${wordFree(each)}`) },
    ),
  ];
}

function clockCheck({ hosts }: Facts): Check {
  const all = Object.values(hosts);
  const offsets = all.map((host) => ({ host: host.host, offset: aheadOfMedian(host, all) }));
  const largest = Math.max(0, ...offsets.map(({ offset }) => Math.abs(offset)));
  const apart = offsets.filter(({ offset }) => Math.abs(offset) > CLOCK_WARN_MS);
  const details = apart.map(({ host, offset }) => `${host}: its clock is ${wordOffset(offset)} the median`);
  const check = {
    id: 'clocks',
    title: `clocks are within ${CLOCK_WARN_MS / 1000} s`,
    seen: `within ${(largest / 1000).toFixed(1)} s`,
  };
  return judged(check, { state: largest > CLOCK_REFUSE_MS ? 'critical' : 'warning', details });
}
