/**
 * From plaintext to mutual TLS without an interruption (docs/decisions/0008-adopting.md): every member first gets certificates and offers TLS beside
 * plaintext to clients, and only then is dialled and listens with TLS among peers. What ends plaintext for clients is the inventory's key, and a change as
 * any other. Pure.
 */
import { QuorateError } from '../domain/errors.ts';
import { isPlaintext, plaintextPorts, plaintextWarnings } from '../domain/plaintext.ts';
import { dropEmptyStages, type Stage } from '../domain/plan.ts';
import { knownMinor } from '../domain/version.ts';
import { type ConvergePart, convergeStages } from './converge.ts';
import { foresee } from './foresee.ts';
import { type Move, rosterOf } from './roster.ts';
import { planBase, type View } from './view.ts';

export interface TlsWish {
  /** Names of members whose hosts were observed. */
  readonly members: readonly string[];
  readonly parts: readonly ConvergePart[];
  /** Whether neither `--member` nor `--only` leaves anything out. */
  readonly whole: boolean;
}

/**
 * Everything that brings the cluster to the inventory while its members dial each other in plaintext; undefined where they do not.
 * @throws QuorateError refused
 */
export function stagesToTls(view: View, { members, parts, whole }: TlsWish): readonly Stage[] | undefined {
  const plain = plainMoves(view);
  if (plain.length === 0) return undefined;
  if (!whole) refuseHalf(plain);
  requireSameAddress(view, plain);
  requireBothOnOnePort(view);
  const offered = offeringView(view, plain);
  const offer = (names: readonly string[]): readonly Stage[] =>
    filled(view, convergeStages(offered, { members: names, parts, name: 'offer', title: titles.offer }));
  const peers = { members, name: 'peers', title: titles.peers, moves: true };
  // Who is dialled with TLS already was interrupted behind that: its turn is one of the second round.
  if (offer(plain.map(({ name }) => name)).length === 0) return convergeStages(view, { ...peers, parts });
  const offering = offer(members);
  const { facts } = foresee(offered, offering);
  return [...offering, ...convergeStages({ ...view, facts }, { ...peers, parts: ['config'] })];
}

const titles = {
  offer: 'certificates, and TLS beside plaintext for clients, one member after another',
  peers: 'TLS among peers, one member after another',
} as const;

/** What a plan tells of plaintext: what is open, and who is refused once it has run. */
export function openPlaintext({ cluster, facts }: View): readonly string[] {
  const ports = plaintextPorts(cluster, facts);
  if (cluster.plaintextClients || ports.clients.length === 0) return plaintextWarnings(ports);
  return [
    ...plaintextWarnings({ ...ports, clients: [] }),
    `clients that speak plaintext are refused by each of ${ports.clients.join(', ')} from its turn on`,
  ];
}

/** Before a member comes. @throws QuorateError refused while one has no certificates to dial it with, as a cluster that was made without TLS has before its first apply */
export function requireTlsAmongPeers(view: View): void {
  const lacking = plainMoves(view).find(({ name }) => view.facts.hosts[name]?.run === undefined);
  if (lacking === undefined) return;
  throw new QuorateError(
    'refused',
    `${lacking.name}: has no certificates yet, and could not dial a member that asks for one`,
    {
      host: lacking.name,
      hint: 'quorate apply -i FILE brings all members to TLS first; one that is dead and in the way: quorate member remove NAME -i FILE',
    },
  );
}

function plainMoves(view: View): readonly Move[] {
  return rosterOf(view).moved.filter(({ entry }) => entry.peerUrls.some(isPlaintext));
}

function refuseHalf(plain: readonly Move[]): never {
  const names = plain.map(({ name }) => name).join(', ');
  throw new QuorateError(
    'refused',
    `${names}: dialled in plaintext by the others: the way to TLS is gone by all members, and first`,
    {
      hint: 'quorate apply -i FILE, without --only and --member',
    },
  );
}

/** Another address too is another change; the single member of a cluster may be known as localhost. */
function requireSameAddress({ cluster }: View, plain: readonly Move[]): void {
  if (cluster.controllers.length === 1) return;
  const moved = plain.find(({ entry, to }) => !entry.peerUrls.some((each) => new URL(each).host === new URL(to).host));
  if (moved === undefined) return;
  const from = moved.entry.peerUrls.join(', ');
  throw new QuorateError(
    'refused',
    `${moved.name}: is dialled at ${from}, in plaintext, and the inventory wants ${moved.to}: another address too`,
    {
      host: moved.name,
      hint: 'put its address back until peers speak TLS; then change it',
    },
  );
}

/** Tried with 3.4.23: TLS clients are served, and plaintext ones get no answer. */
function requireBothOnOnePort({ cluster, facts }: View): void {
  if (!cluster.plaintextClients) return;
  const versions = [cluster.version, ...Object.values(facts.endpoints).map((each) => each.version)];
  if (!versions.some((each) => knownMinor(each) === '3.4')) return;
  throw new QuorateError('refused', 'etcd 3.4 does not serve TLS and plaintext on one port: clients would be cut off', {
    hint: 'bring the members to 3.5 first, one after the other, as docs/operations.md has it (adopt, "A cluster without TLS")',
  });
}

/** The cluster with peers as they are, so that nothing of a member's dialling changes while it gets its certificates. */
function offeringView(view: View, plain: readonly Move[]): View {
  if (view.render === undefined) throw new Error('this view renders no other cluster');
  const controllers = view.cluster.controllers.map((controller) => {
    const [listed] = plain.find(({ name }) => name === controller.name)?.entry.peerUrls ?? [];
    return listed === undefined ? controller : { ...controller, peerUrl: listed };
  });
  const cluster = { ...view.cluster, controllers };
  return { ...view, cluster, desired: view.render(cluster) };
}

function filled(view: View, stages: readonly Stage[]): readonly Stage[] {
  return dropEmptyStages({ ...planBase(view, ''), stages, reasons: [] }).stages;
}
