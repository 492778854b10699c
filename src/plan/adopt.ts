/** Taking a running cluster in that was made elsewhere, once the store has its authorities (made here where its members have none): the operator's certificate, and the mark on each host. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { missingAuthorities } from './bootstrap.ts';
import { neededDrafts } from './host-steps.ts';
import { refuseUnsigned } from './outside.ts';
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

function operatorDrafts(view: View): readonly Draft[] {
  const { pki } = view;
  const purposes = missingAuthorities(view);
  const elsewhere = purposes.filter((each) => view.cluster.pki.external.some((one) => one === each));
  refuseUnsigned(
    view.cluster.name,
    elsewhere.map((each) => `the ${each} authority`),
  );
  const create = { kind: 'store.create', host: OPERATOR, why: 'the cluster gets a UUID and a token' } as const;
  const make = { kind: 'authority.make', host: OPERATOR, purposes, why: 'its members have none' } as const;
  const admin = { kind: 'admin.issue', host: OPERATOR, why: 'there is none yet' } as const;
  const why = 'hosts without its data are never taken for new ones then';
  const note = { kind: 'formation.note', host: OPERATOR, why } as const;
  return [
    ...(pki.identity === undefined ? [create] : []),
    ...(purposes.length > 0 ? [make] : []),
    ...(pki.admin === undefined ? [admin] : []),
    ...(pki.identity?.formedAt === undefined ? [note] : []),
  ];
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
