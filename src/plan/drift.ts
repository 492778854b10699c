/** Where a formed cluster differs from the inventory and the PKI store: what `plan` shows. */
import { currentGeneration } from '../domain/generation.ts';
import { pkiGeneration } from '../domain/layout.ts';
import { dropEmptyStages, type Plan, type Reason } from '../domain/plan.ts';
import { earliestExpiry } from './certificates.ts';
import { convergeParts, convergeStages } from './converge.ts';
import { outsideWarnings } from './outside-due.ts';
import { planBase, type View } from './view.ts';

/** Differences as steps; empty with reasons where there are none. Certificates that are due are a difference. */
export function planDrift(view: View): Plan {
  const members = view.cluster.controllers.map((each) => each.name).filter((name) => view.facts.hosts[name]);
  const stages = convergeStages(view, { members, parts: convergeParts });
  const base = planBase(view, 'plan');
  const warnings = [...base.warnings, ...outsideWarnings(view, members)];
  const plan = dropEmptyStages({ ...base, warnings, stages, reasons: [] });
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
