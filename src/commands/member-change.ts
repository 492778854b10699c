/** quorate member add, remove, replace, promote, move-leader: who is a member changes one member at a time. */
import { applyPlan } from './apply-plan.ts';
import type { Invocation, Ports, Verb } from './command.ts';
import { type MemberWord, memberRun } from './member-wish.ts';

export const memberAdd: Verb = (invocation, ports) => change('add', invocation, ports);
export const memberPromote: Verb = (invocation, ports) => change('promote', invocation, ports);
export const memberReplace: Verb = (invocation, ports) => change('replace', invocation, ports);
export const memberMoveLeader: Verb = (invocation, ports) => change('move-leader', invocation, ports);

export const memberRemove: Verb = async (invocation, ports) => {
  const status = await change('remove', invocation, ports);
  const { controllers } = await ports.clusterAt(undefined);
  const kept = controllers.map((each) => each.name).filter((name) => invocation.args.includes(name));
  if (kept.length > 0) {
    ports.ui.note(`the inventory still has ${kept.join(', ')}: take it out, or write state: absent there`);
  }
  return status;
};

async function change(word: MemberWord, invocation: Invocation, ports: Ports): Promise<number> {
  const run = memberRun(word, invocation, await ports.cluster());
  const session = await ports.session(run.cluster, { endpoints: true, requireAll: false, settled: true });
  try {
    return await applyPlan(session, run, invocation, ports);
  } finally {
    await session.close();
  }
}
