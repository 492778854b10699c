/** Symptoms that etcd's own answers show: quorum, leader, membership, alarms. */
import type { Cluster } from './cluster.ts';
import type { EndpointFacts, Facts } from './facts.ts';
import type { Sign } from './finding.ts';
import type { ClusterHealth } from './health.ts';
import { hostOf } from './membership.ts';
import type { MetricsFacts } from './metrics.ts';

export interface MemberInput {
  readonly cluster: Cluster;
  readonly facts: Facts;
  readonly health: ClusterHealth;
  readonly metrics: MetricsFacts;
  readonly clusterId: string | undefined;
}

/** Signs of members in the inventory's order; '' as host for the cluster. */
export function memberSigns(input: MemberInput): readonly Sign[] {
  const { cluster, facts } = input;
  const asked = Object.values(facts.endpoints);
  const answers = asked.filter((each) => each.failure === undefined);
  return [
    ...quorumSigns(input, asked.length),
    ...cluster.controllers.flatMap(({ name }) => silenceSigns(facts, name)),
    ...leaderSigns(answers),
    ...answers.flatMap((each) => peerSigns(each, answers, input)),
    ...answers.flatMap((each) => membershipSigns(each, input)),
    ...listSigns(answers, input),
    ...alarmSigns(answers),
  ];
}

function quorumSigns({ health }: MemberInput, asked: number): readonly Sign[] {
  if (asked === 0 || health.state !== 'no-quorum') return [];
  const healthy = health.members.filter((each) => each.healthy).map((each) => each.name);
  const text = `of ${health.members.length} members, ${healthy.length === 0 ? 'none is' : `these are`} healthy`;
  return [{ id: 'no-quorum', host: '', text: healthy.length === 0 ? text : `${text}: ${healthy.join(', ')}` }];
}

function silenceSigns(facts: Facts, host: string): readonly Sign[] {
  const failure = facts.endpoints[host]?.failure;
  if (failure === undefined || facts.hosts[host]?.unit.activeState !== 'active') return [];
  return [{ id: 'member-silent', host, text: failure }];
}

function leaderSigns(answers: readonly EndpointFacts[]): readonly Sign[] {
  const without = answers.filter((each) => /^0+$/.test(each.leaderId));
  const leaders = new Set(answers.filter((each) => !without.includes(each)).map((each) => each.leaderId));
  const disagreement = answers.map((each) => `${each.host} follows ${each.leaderId}`).join(', ');
  return [
    ...without.map(({ host }): Sign => ({ id: 'no-leader', host, text: 'it knows no leader' })),
    ...(leaders.size > 1 ? [{ id: 'leader-disagreement', host: '', text: disagreement } as const] : []),
  ];
}

/** A member that serves nobody has signs of its own. */
function peerSigns({ host, linearizable }: EndpointFacts, answers: readonly EndpointFacts[], { metrics }: MemberInput) {
  const lost = linearizable ? (metrics[host]?.lostPeers ?? []) : [];
  return answers
    .filter((each) => each.linearizable && lost.includes(each.memberId))
    .map((each): Sign => ({ id: 'peer-lost', host, text: `it takes ${each.host} (${each.memberId}) for unreachable` }));
}

function membershipSigns(answer: EndpointFacts, { clusterId }: MemberInput): readonly Sign[] {
  const { host, memberId, members, learner } = answer;
  const other = clusterId !== undefined && answer.clusterId !== clusterId;
  return [
    ...(other
      ? [{ id: 'cluster-mismatch', host, text: `it is in cluster ${answer.clusterId}, not ${clusterId}` } as const]
      : []),
    ...(members.some((each) => each.id === memberId)
      ? []
      : [{ id: 'member-unlisted', host, text: `member ${memberId} is not in the list` } as const]),
    ...(learner ? [{ id: 'learner', host, text: `member ${memberId} is a learner` } as const] : []),
  ];
}

function listSigns(answers: readonly EndpointFacts[], { cluster, facts }: MemberInput): readonly Sign[] {
  const list = (answers.find((each) => each.linearizable) ?? answers[0])?.members ?? [];
  const known = new Set(cluster.controllers.map((each) => each.name));
  return list.flatMap((member): readonly Sign[] => {
    const { id, name, peerUrls } = member;
    const own = hostOf(cluster, facts, member);
    const text = `member ${name || id} (${peerUrls.join(', ')})`;
    return [
      ...(known.has(own?.name ?? '') ? [] : [{ id: 'member-unknown', host: '', text } as const]),
      ...(name === '' ? [{ id: 'member-unstarted', host: '', text } as const] : []),
    ];
  });
}

function alarmSigns(answers: readonly EndpointFacts[]): readonly Sign[] {
  const list = answers.flatMap((each) => each.members);
  const nameOf = (id: string): string => list.find((each) => each.id === id)?.name ?? '';
  const raised = answers.flatMap((each) => each.alarms).map(({ memberId, kind }) => `${kind} ${memberId}`);
  return [...new Set(raised)].flatMap((each): readonly Sign[] => {
    const [kind = '', memberId = ''] = each.split(' ');
    const text = `alarm ${kind} of member ${memberId}`;
    if (kind === 'NOSPACE') return [{ id: 'alarm-nospace', host: nameOf(memberId), text }];
    return kind === 'CORRUPT' ? [{ id: 'data-differs', host: nameOf(memberId), text }] : [];
  });
}
