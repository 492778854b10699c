/** The guard before every disruptive step, whichever verb planned it. */
import { QuorateError } from '../domain/errors.ts';
import { object, type Voter } from '../domain/quorum.ts';
import type { Step } from '../domain/step.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { riskOf } from '../plan/describe.ts';
import type { View } from '../plan/view.ts';

/**
 * Lets a step pass or refuses it.
 * @throws QuorateError refused: what is true, why it is unsafe, what to do.
 */
export function guard(step: Step, view: View): void {
  if (riskOf(step) !== 'disruptive') return;
  if (step.kind === 'unit.start') guardStart(step, view);
  if (step.kind === 'package.hold' && step.unit !== '') guardStop(step, view);
}

/** Starting a member needs the verdict that its data dir is its own, and `new` is for a member without data alone. */
function guardStart(step: Step<'unit.start'>, view: View): void {
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  if (verdict.kind === 'refused') throw new QuorateError('refused', verdict.message, { hint: verdict.hint });
  const host = view.facts.hosts[step.host];
  if (step.state === 'new' && (verdict.kind === 'formed' || host?.data.wal !== false)) {
    throw new QuorateError(
      'refused',
      `${step.host}: would be started as new, and the cluster or its data exists already`,
      {
        host: step.host,
        hint: 'run quorate plan -i FILE to see what is there',
      },
    );
  }
}

function guardStop(step: Step<'package.hold'>, view: View): void {
  const voters = view.cluster.controllers.map(({ name }): Voter => {
    const endpoint = view.facts.endpoints[name];
    const healthy = endpoint?.failure === undefined && endpoint?.linearizable === true;
    return { name, healthy };
  });
  const objection = object(voters, { kind: 'stop', member: step.host, allowDowntime: false });
  if (objection !== undefined) throw new QuorateError('refused', objection, { host: step.host });
}
