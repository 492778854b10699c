/** Taking a running cluster in that was made elsewhere: its store with the operator, and the mark on each host. Nothing that etcd uses is touched. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { neededDrafts } from './host-steps.ts';
import { planBase, type View } from './view.ts';

/** Who the running cluster is, as its own list tells. */
export interface LiveIdentity {
  /** 16 hexadecimal digits. */
  readonly clusterId: string;
  /** By controller. */
  readonly memberIds: Readonly<Record<string, string>>;
}

/**
 * The steps that are still needed; empty where the cluster has been taken in.
 * @throws QuorateError refused where a host carries the notes of another cluster of quorate's, or its member does not run
 */
export function planAdopt(view: View, live: LiveIdentity): Plan {
  requireFree(view);
  const names = view.cluster.controllers.map((each) => each.name);
  const { unit } = view.cluster;
  const marks = names.flatMap((host) => {
    const memberId = live.memberIds[host] ?? '';
    const adopted = { clusterId: live.clusterId, memberId };
    return neededDrafts(view, [{ kind: 'marker.put', host, unit, files: [], adopted }]);
  });
  const plan = dropEmptyStages({
    ...planBase(view, 'adopt'),
    stages: [
      stage('operator', 'with the operator', 'operator', operatorDrafts(view)),
      stage('mark', 'note on the hosts whose cluster it is', 'parallel', marks),
    ],
    reasons: [],
  });
  if (plan.stages.length > 0) return plan;
  const reason = (host: string): string => `adopted: member ${live.memberIds[host]} of ${live.clusterId}`;
  return { ...plan, reasons: names.map((host) => ({ host, reason: reason(host) })) };
}

function operatorDrafts({ pki, cluster }: View): readonly Draft[] {
  const wanted = cluster.pki.authorities === 'single' ? ['both'] : ['client', 'peer'];
  const purposes = wanted.filter((purpose) => !pki.authorities.some((each) => each.purpose === purpose));
  const drafts: (Draft | undefined)[] = [
    pki.identity === undefined
      ? { kind: 'store.create', host: OPERATOR, why: 'the cluster has none with quorate yet' }
      : undefined,
    purposes.length > 0
      ? { kind: 'authority.make', host: OPERATOR, purposes, why: 'its members trust nobody yet' }
      : undefined,
    pki.admin === undefined ? { kind: 'admin.issue', host: OPERATOR, why: 'there is none yet' } : undefined,
    pki.identity?.formedAt === undefined
      ? { kind: 'formation.note', host: OPERATOR, why: 'hosts without its data are never taken for new ones then' }
      : undefined,
  ];
  return drafts.filter((each) => each !== undefined);
}

function requireFree({ cluster, facts, pki }: View): void {
  for (const { name } of cluster.controllers) {
    const host = facts.hosts[name];
    const { marker, starting, attempt } = host?.records ?? {};
    const foreign = [marker, starting, attempt].find((each) => each !== undefined && each.uuid !== pki.identity?.uuid);
    if (foreign !== undefined) {
      throw new QuorateError('refused', `${name}: belongs to a cluster of quorate's already (UUID ${foreign.uuid})`, {
        host: name,
        hint: 'use that cluster’s inventory and state directory: they know it',
      });
    }
    if (host?.unit.activeState === 'active') continue;
    throw new QuorateError('refused', `${name}: ${cluster.unit} is ${host?.unit.activeState ?? 'not seen'}`, {
      host: name,
      hint: 'adopt takes a cluster in while all of its members run',
    });
  }
}
