/** How a cluster is, from facts: each member's row, and one word for the whole. */
import type { Cluster } from './cluster.ts';
import type { EndpointFacts, Facts, MemberFact } from './facts.ts';
import { versionLinked } from './layout.ts';
import { entryOf, hostOf } from './membership.ts';
import { compareText } from './plan.ts';
import { majority } from './quorum.ts';

export interface MemberHealth {
  readonly name: string;
  /** 16 hexadecimal digits, '' unknown. */
  readonly id: string;
  readonly role: 'voter' | 'learner' | 'unknown';
  readonly healthy: boolean;
  readonly isLeader: boolean;
  readonly versionOnDisk: string;
  readonly versionRunning: string;
  readonly term: number;
  readonly dbSizeBytes: number;
  /** Entries behind the member that is furthest. */
  readonly lag: number;
  /** Epoch milliseconds; undefined where nothing was served. */
  readonly servedUntil: number | undefined;
  readonly problems: readonly string[];
}

export interface ClusterHealth {
  /** `degraded`: quorum holds and something is wrong. */
  readonly state: 'healthy' | 'degraded' | 'no-quorum';
  readonly members: readonly MemberHealth[];
  readonly alarms: readonly string[];
  readonly problems: readonly string[];
}

/** `expiry` reads the end of a served certificate, epoch milliseconds. */
export function clusterHealth(
  cluster: Cluster,
  facts: Facts,
  expiry: (pem: string) => number | undefined,
): ClusterHealth {
  const list = memberList(facts);
  const highest = Math.max(0, ...Object.values(facts.endpoints).map((each) => each.raftAppliedIndex));
  const wanted = cluster.controllers.map((controller) => {
    const endpoint = facts.endpoints[controller.name];
    const member = entryOf(facts, list, controller);
    return memberHealth({ name: controller.name, cluster, facts, endpoint, member, highest, expiry });
  });
  const known = new Set(cluster.controllers.map((each) => each.name));
  const strangers = list.filter((each) => !known.has(hostOf(cluster, facts, each)?.name ?? ''));
  const alarms = alarmTexts(facts, list);
  const problems = [
    ...strangers.map((each) => `member ${each.name || each.id} (${each.peerUrls.join(', ')}) is not in the inventory`),
    ...leaderProblems(facts),
    ...clusterIdProblems(facts),
  ];
  return { state: judge(wanted, [...problems, ...alarms], list), members: wanted, alarms, problems };
}

/** 0 healthy, 2 degraded, 3 no quorum. */
export function healthStatus(health: ClusterHealth): number {
  switch (health.state) {
    case 'healthy':
      return 0;
    case 'degraded':
      return 2;
    case 'no-quorum':
      return 3;
  }
}

function judge(
  members: readonly MemberHealth[],
  problems: readonly string[],
  list: readonly MemberFact[],
): ClusterHealth['state'] {
  const voters = list.length === 0 ? members.length : list.filter((each) => !each.learner).length;
  const healthy = members.filter((each) => each.healthy && each.role !== 'learner').length;
  if (healthy < majority(voters)) return 'no-quorum';
  const whole = members.every((each) => each.healthy && each.problems.length === 0);
  return whole && problems.length === 0 ? 'healthy' : 'degraded';
}

function memberHealth(input: {
  readonly name: string;
  readonly cluster: Cluster;
  readonly facts: Facts;
  readonly endpoint: EndpointFacts | undefined;
  readonly member: MemberFact | undefined;
  readonly highest: number;
  readonly expiry: (pem: string) => number | undefined;
}): MemberHealth {
  const { name, endpoint, member, facts } = input;
  const answered = endpoint !== undefined && endpoint.failure === undefined;
  const role = member === undefined ? 'unknown' : member.learner ? 'learner' : 'voter';
  const unreachable = facts.unreachable[name];
  const problems = [
    ...(unreachable === undefined ? [] : [unreachable]),
    ...(endpoint?.failure === undefined ? [] : [endpoint.failure]),
    ...(answered ? endpoint.errors : []),
    ...(answered && !endpoint.learner && !endpoint.linearizable ? ['a linearizable read does not return'] : []),
    ...(answered && member === undefined ? ['is not in the member list'] : []),
    ...dataProblems(input.cluster, facts, name),
  ];
  const versionOnDisk = versionLinked(input.cluster, facts.hosts[name]);
  return {
    name,
    id: answered ? endpoint.memberId : (member?.id ?? ''),
    role,
    healthy: answered && (endpoint.linearizable || endpoint.learner),
    isLeader: answered && endpoint.leaderId === endpoint.memberId,
    versionOnDisk,
    versionRunning: answered ? endpoint.version : '',
    term: answered ? endpoint.raftTerm : 0,
    dbSizeBytes: answered ? endpoint.dbSizeBytes : 0,
    lag: answered ? input.highest - endpoint.raftAppliedIndex : 0,
    servedUntil: answered && endpoint.servedCertificate !== '' ? input.expiry(endpoint.servedCertificate) : undefined,
    problems: [...new Set(problems)],
  };
}

/** A process whose files were deleted under it serves on until it ends, and nothing else tells. */
function dataProblems({ paths, unit }: Cluster, facts: Facts, name: string): readonly string[] {
  const host = facts.hosts[name];
  if (host === undefined || !host.root || host.data.wal || host.unit.activeState !== 'active') return [];
  return [`${unit} runs, and its data is gone from ${paths.dataDir}: it will not come back from a restart`];
}

/** The members as the best answer lists them; empty where nobody answered. */
export function memberList(facts: Facts): readonly MemberFact[] {
  const lists = Object.values(facts.endpoints).filter((each) => each.failure === undefined);
  const best = [...lists].sort((a, b) => Number(b.linearizable) - Number(a.linearizable))[0];
  return best?.members ?? [];
}

function alarmTexts(facts: Facts, list: readonly MemberFact[]): readonly string[] {
  const texts = Object.values(facts.endpoints).flatMap((endpoint) =>
    endpoint.alarms.map(({ memberId, kind }) => {
      const name = list.find((each) => each.id === memberId)?.name ?? memberId;
      return `${kind} on ${name}`;
    }),
  );
  return [...new Set(texts)].sort(compareText);
}

function leaderProblems(facts: Facts): readonly string[] {
  const answers = Object.values(facts.endpoints).filter((each) => each.failure === undefined);
  const leaders = new Set(answers.map((each) => each.leaderId));
  if (answers.length === 0) return [];
  if (leaders.has('0') || leaders.has('0000000000000000')) return ['at least one member knows no leader'];
  return leaders.size === 1 ? [] : [`members disagree on the leader: ${[...leaders].sort(compareText).join(', ')}`];
}

function clusterIdProblems(facts: Facts): readonly string[] {
  const answers = Object.values(facts.endpoints).filter((each) => each.failure === undefined);
  const ids = new Set(answers.map((each) => each.clusterId));
  return ids.size <= 1 ? [] : [`members belong to different clusters: ${[...ids].sort(compareText).join(', ')}`];
}
