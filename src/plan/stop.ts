/** stop: every member stops; data, files and the start at boot stay as they are. Pure. */
import { dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { neededDrafts } from './host-steps.ts';
import { requireFormed } from './live-refusals.ts';
import { planBase, type View } from './view.ts';

/** The plan that stops what runs; empty with reasons where nothing does. @throws QuorateError refused: the hosts are not this cluster's */
export function planStop(view: View): Plan {
  const { cluster, facts } = view;
  requireFormed(view);
  const marked = cluster.controllers.map((each) => each.name).filter((name) => facts.hosts[name]?.records.marker);
  const drafts = marked.flatMap((host) =>
    neededDrafts(view, [{ kind: 'unit.stop', host, unit: cluster.unit }]).map((each) => ({
      ...each,
      why: 'the whole cluster is to stop',
    })),
  );
  const base = planBase(view, 'stop');
  const boots = marked.filter((name) => facts.hosts[name]?.unit.fileState === 'enabled');
  const text = `${boots.join(', ')}: a reboot starts ${cluster.unit} again; quorate start -i FILE starts all together`;
  return dropEmptyStages({
    ...base,
    stages: [stage('stop', 'stop all members at once', 'parallel', drafts)],
    warnings: drafts.length > 0 && boots.length > 0 ? [...base.warnings, text] : base.warnings,
    reasons:
      drafts.length > 0
        ? []
        : marked.map((host) => ({ host, reason: `${cluster.unit} is ${facts.hosts[host]?.unit.activeState}` })),
  });
}
