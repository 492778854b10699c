/** quorate certs rotate: new certificates for members, without a restart. */
import { QuorateError } from '../domain/errors.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';
import { planRotate, type RotateWish, rotationLeft, waitsForOthers } from '../plan/rotate.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Verb, values } from './command.ts';

export const certsRotate: Verb = async (invocation, ports) => {
  const wish = rotateWish(invocation);
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: wish.members.length === 0 });
  try {
    const run = {
      planner: (view: Parameters<typeof planRotate>[0]) => planRotate(view, wish),
      question: `Rotate certificates of ${cluster.name}?`,
      left: (view: Parameters<typeof planRotate>[0], plan: ReturnType<typeof planRotate>) =>
        rotationLeft(view, wish, plan),
    };
    const status = await applyPlan(session, run, invocation, ports);
    // Nobody here can renew what is signed elsewhere: a timer must not take that for done.
    return wish.due && waitsForOthers(session.view, wish) ? 2 : status;
  } finally {
    await session.close();
  }
};

/** What the options ask for. @throws QuorateError usage */
export function rotateWish(invocation: Invocation): RotateWish {
  const kinds = values(invocation, 'kind').flatMap((each) => each.split(','));
  return {
    members: values(invocation, 'member'),
    purposes: kinds.length === 0 ? leafPurposes : leafPurposes.filter((each) => kinds.map(purposeOf).includes(each)),
    due: flag(invocation, 'due'),
    keys: flag(invocation, 'keepKeys') ? 'keep' : 'make',
  };
}

function purposeOf(text: string): LeafPurpose {
  const found = leafPurposes.find((each) => each === text);
  if (found !== undefined) return found;
  throw new QuorateError('usage', `--kind ${text}: there is no such kind of certificate`, {
    hint: `any of ${leafPurposes.join(', ')}, separated by commas`,
  });
}
