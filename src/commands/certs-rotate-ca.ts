/** quorate certs rotate-ca: replaces the certificate authorities without downtime, in stages that can be halted, resumed and taken back. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { holdersOf } from '../plan/certificate-clients.ts';
import { planRotateCa, type RotateCaWish, rotateCaLeft, rotationProgress } from '../plan/rotate-ca.ts';
import { type Purpose, type RotationStage, rotationStages } from '../plan/rotation-phases.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Ports, type Session, type Verb, value } from './command.ts';

export const certsRotateCa: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const wish = await rotateCaWish(invocation, cluster, ports);
  const session = await ports.session(cluster, { endpoints: true, requireAll: true, settled: true });
  try {
    const run = {
      planner: (view: Session['view']) => planRotateCa(view, wish),
      question: `${questions[wish.direction]} of ${cluster.name}?`,
      left: (view: Session['view']) => rotateCaLeft(view, wish),
    };
    const status = await applyPlan(session, run, invocation, ports);
    tellNext(session, wish, ports);
    return status;
  } finally {
    await session.close();
  }
};

const questions = {
  forward: 'Rotate the certificate authorities',
  back: 'Take back the rotation of the certificate authorities',
  renew: 'Renew the certificate authorities',
} as const;

/** What the options ask for. @throws QuorateError usage */
export async function rotateCaWish(invocation: Invocation, cluster: Cluster, ports: Ports): Promise<RotateCaWish> {
  const crossSign = flag(invocation, 'crossSign');
  const until = stageOf(value(invocation, 'until'), crossSign);
  const store = await ports.storeEvidence(cluster);
  const holders = store.authorities.flatMap(({ id }) => holdersOf(store, id, ports.now()));
  return {
    purposes: purposesOf(value(invocation, 'authority'), cluster),
    until,
    crossSign,
    direction: directionOf(invocation),
    allowDowntime: flag(invocation, 'allowDowntime'),
    // The operator's own is issued anew by the rotation itself.
    clients: holders.filter((each) => each.client !== undefined),
  };
}

function directionOf(invocation: Invocation): RotateCaWish['direction'] {
  const given = ['abort', 'renew', 'until', 'crossSign'].filter(
    (each) => invocation.options[each] !== undefined && invocation.options[each] !== false,
  );
  const alone = given.find((each) => each === 'abort' || each === 'renew');
  if (alone === undefined) return 'forward';
  if (given.length > 1) {
    throw new QuorateError('usage', `--${alone} goes with no other of --abort, --renew, --until and --cross-sign`);
  }
  return alone === 'abort' ? 'back' : 'renew';
}

function stageOf(text: string | undefined, crossSign: boolean): RotationStage {
  const found = rotationStages.find((each) => each === (text ?? 'leaves'));
  if (found === undefined) {
    throw new QuorateError('usage', `--until ${text}: there is no such stage`, {
      hint: `one of ${rotationStages.join(', ')}`,
    });
  }
  if (crossSign && found === 'trust-both') {
    throw new QuorateError('usage', '--until trust-both: --cross-sign leaves that stage out');
  }
  return found;
}

function purposesOf(text: string | undefined, { pki }: Cluster): readonly Purpose[] {
  const own: readonly Purpose[] = pki.authorities === 'single' ? ['both'] : ['client', 'peer'];
  if (text === undefined || text === 'all') return own;
  const found = own.filter((each) => each === text);
  if (found.length > 0) return found;
  throw new QuorateError('usage', `--authority ${text}: this cluster has no such authority`, {
    hint: own.length === 1 ? 'it has one for clients and peers: leave the option out' : `one of ${own.join(', ')}, all`,
  });
}

/** What comes next is asked for by name: each of the last stages ends some clients. */
function tellNext({ view }: Session, wish: RotateCaWish, ports: Ports): void {
  const next = nextWords[rotationProgress(view.pki, wish.purposes)];
  if (next !== undefined) ports.ui.note(next);
}

const nextWords: Readonly<Partial<Record<ReturnType<typeof rotationProgress>, string>>> = {
  'trust-both':
    'both authorities are trusted. Give clients the new bundle (quorate certs export), then go on: quorate certs rotate-ca (or take it back: --abort)',
  leaves:
    'members serve certificates of the new authority; clients with old certificates and with the old bundle go on working. Renew what clients hold, then: quorate certs rotate-ca --until trust-new (or take it back: --abort)',
  'trust-new':
    'members trust the new authority alone; clients that trust only the old one are served by the cross certificate. Once none is left: quorate certs rotate-ca --until drop-cross',
};
