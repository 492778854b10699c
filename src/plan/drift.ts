/** Where a formed cluster differs from the inventory and the PKI store: what `plan` shows. */
import { currentGeneration } from '../domain/generation.ts';
import { pkiGeneration } from '../domain/layout.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { earliestExpiry } from './certificates.ts';
import { generationDrafts, pruneDrafts, renewingTurn } from './generation.ts';
import { configureCandidates, neededDrafts, prepareCandidates } from './host-steps.ts';
import { planBase, type View } from './view.ts';

/** Differences as steps; empty with reasons where there are none. Certificates that are due are a difference. */
export function planDrift(view: View): Plan {
  const members = view.cluster.controllers.map((controller) => {
    const host = controller.name;
    const turn = renewingTurn(view, host, { keys: 'make' });
    const current = currentGeneration(view.cluster, view.facts.hosts[host]);
    const generation = turn && generationDrafts(view, turn);
    return {
      prepare: generation?.prepare ?? [],
      issue: generation?.issue ?? [],
      steps: [
        ...neededDrafts(view, prepareCandidates(view, controller)),
        ...(generation?.put ?? []),
        ...(generation?.switch ?? []),
        ...neededDrafts(view, configureCandidates(view, controller)),
        ...neededDrafts(view, [{ kind: 'unit.enable', host, unit: view.cluster.unit }]),
        ...(generation?.prune ?? pruneDrafts(view, host, current)),
      ],
    };
  });
  const stages: readonly Stage[] = [
    stage(
      'prepare',
      'new keys',
      'parallel',
      members.flatMap((each) => each.prepare),
    ),
    stage(
      'issue',
      'issue certificates',
      'operator',
      members.flatMap((each) => each.issue),
    ),
    stage(
      'drift',
      'differs from the inventory',
      'rolling',
      members.flatMap((each) => each.steps),
    ),
  ];
  const plan = dropEmptyStages({ ...planBase(view, 'plan'), stages, reasons: [] });
  return plan.stages.length === 0 ? { ...plan, reasons: matchReasons(view) } : plan;
}

/** `etcd-1: configuration matches, certificates valid for 364 d, etcd 3.6.16 runs`. */
export function matchReasons({ cluster, facts, now }: View): readonly Reason[] {
  return cluster.controllers.map(({ name }) => {
    const host = facts.hosts[name];
    const directory = pkiGeneration(cluster, currentGeneration(cluster, host));
    const end = host === undefined ? undefined : earliestExpiry(host, directory);
    const days = end === undefined ? 0 : Math.floor((end - now) / 86_400_000);
    const version = facts.endpoints[name]?.version ?? '';
    return {
      host: name,
      reason: `configuration matches, certificates valid for ${days} d, etcd ${version} runs and is a member`,
    };
  });
}
