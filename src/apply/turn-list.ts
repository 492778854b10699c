/** The part of a member's turn that the cluster's own list is told, and the way back. */
import type { Facts } from '../domain/facts.ts';
import { memberList } from '../domain/health.ts';
import type { Step } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import { runMembership } from './membership.ts';
import type { Run } from './run.ts';
import type { Turn } from './turn-steps.ts';

/** Where the others dial the member from now on; the facts after it. @throws QuorateError refused (the guard, or etcd for longer than a moment), interrupted */
export async function tellList({ stage, steps }: Turn, known: Facts, run: Run): Promise<Facts> {
  const { ports } = run;
  let facts = known;
  for (const step of steps) {
    if (step.kind !== 'member.update') continue;
    const event = { stage: stage.id, host: step.host, text: describe(step).text };
    const since = ports.now();
    ports.emit({ type: 'step-start', ...event });
    facts = await runMembership(step, facts, run);
    ports.emit({ type: 'step-done', ...event, elapsedMs: ports.now() - since });
  }
  return facts;
}

/** The steps that give the list the peer URLs that it had `before` a turn. Pure. */
export function listBack({ steps }: Turn, before: Facts, now: Facts): readonly Step<'member.update'>[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'member.update') return [];
    const dialled = (facts: Facts): readonly string[] =>
      memberList(facts).find((each) => each.id === step.memberId)?.peerUrls ?? [];
    const peerUrls = dialled(before);
    if (peerUrls.length === 0 || peerUrls.join() === dialled(now).join()) return [];
    return [{ ...step, peerUrls, id: `${step.id}:back`, why: 'its turn failed' }];
  });
}
