/** Bootstrap: from hosts without an etcd, or with one whose bootstrap did not finish, to a cluster that has been proved healthy. */
import { QuorateError } from '../domain/errors.ts';
import { hostOf } from '../domain/membership.ts';
import { compareText, dropEmptyStages, type Plan, type Stage, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { judgeCluster, type StartState, type Verdict } from '../domain/verdict.ts';
import { adminProfile } from '../pki/profile.ts';
import { matchReasons } from './drift.ts';
import { type GenerationDrafts, generationDrafts, mendingTurn } from './generation.ts';
import { type Candidate, configureCandidates, neededDrafts, prepareCandidates } from './host-steps.ts';
import { isOutside, lackingWords, refuseUnsigned, waitingAdmin } from './outside.ts';
import { releaseFetches } from './releases.ts';
import { planBase, type View } from './view.ts';

/**
 * The plan that forms the cluster, or goes on forming it. Empty, with reasons, on a healthy cluster that matches the
 * inventory.
 * @throws QuorateError refused: the hosts are in a state in which building a cluster could lose data, or the cluster
 * has been formed and needs another verb.
 */
export function planBootstrap(view: View): Plan {
  const { cluster, facts } = view;
  const verdict = judgeCluster(cluster, facts, view.identity);
  if (verdict.kind === 'refused') throw new QuorateError('refused', verdict.message, { hint: verdict.hint });
  if (verdict.kind === 'formed') return planFormed(view, verdict);
  requireAllPresent(view);
  requireAllSecure(view);
  requireSigned(view);
  const resumes = verdict.kind === 'unfinished';
  return planForming(resumes ? view : withoutToken(view), resumes ? verdict.starts : everyone(view, 'new'));
}

/** @throws QuorateError refused where a member is to leave that never was one */
function requireAllPresent({ cluster: { absent = [] } }: View): void {
  if (absent.length === 0) return;
  throw new QuorateError(
    'refused',
    `${absent.join(', ')}: to leave a cluster (state: absent) that has not been formed`,
    {
      hint: 'take it out of the inventory, or write state: present',
    },
  );
}

/** @throws QuorateError refused where clients of a new cluster are to speak plaintext */
function requireAllSecure({ cluster }: View): void {
  if (!cluster.plaintextClients) return;
  throw new QuorateError('refused', 'etcd.plaintextClients: a new cluster has no client that speaks plaintext', {
    hint: 'take it out of the inventory: it is for clusters that were made without TLS, until their clients use it',
  });
}

/** A cluster that is formed anew gets another token, so that data of an earlier one can never pass for its own. */
function withoutToken(view: View): View {
  return { ...view, identity: undefined, pki: { ...view.pki, identity: undefined } };
}

function planForming(view: View, starts: Readonly<Record<string, StartState>>): Plan {
  const generations = generationsOf(view);
  const issue = Object.values(generations).flatMap((each) => each.issue);
  const prune = Object.values(generations).flatMap((each) => each.prune);
  return dropEmptyStages({
    ...planBase(view, 'bootstrap'),
    stages: [
      operatorStage(view),
      prepareStage(view, generations),
      stage('issue', 'issue certificates', 'operator', issue),
      configureStage(view, generations, starts),
      startStage(view, starts),
      ...proofStages(view, names(view)),
      stage('prune', 'remove what was replaced', 'parallel', prune),
    ],
    reasons: [],
  });
}

type Formed = Extract<Verdict, { readonly kind: 'formed' }>;

function planFormed(view: View, { unmarked, outsiders, arriving }: Formed): Plan {
  requireNobodyElse([...outsiders, ...arriving]);
  if (unmarked.length > 0) {
    return dropEmptyStages({ ...planBase(view, 'bootstrap'), stages: proofStages(view, unmarked), reasons: [] });
  }
  const ill = view.cluster.controllers.flatMap(({ name }) => {
    const endpoint = view.facts.endpoints[name];
    return endpoint?.failure === undefined && endpoint !== undefined
      ? []
      : [`${name} (${endpoint?.failure ?? 'not asked'})`];
  });
  if (ill.length > 0) {
    throw new QuorateError('refused', `this cluster has been formed, and not all of it answers: ${ill.join('; ')}`, {
      hint: 'bootstrap builds new clusters only: look with quorate status -i FILE, and at journalctl -u etcd on that host',
    });
  }
  const strangers = unlistedMembers(view);
  if (strangers.length > 0) {
    throw new QuorateError(
      'refused',
      `this cluster has members that the inventory does not list: ${strangers.join(', ')}`,
      {
        hint: 'list them under controllers, or remove them from the cluster first: quorate status -i FILE shows all members',
      },
    );
  }
  const leftovers = dropEmptyStages({
    ...planBase(view, 'bootstrap'),
    stages: [stage('note', 'note that it is formed', 'operator', formationNote(view)), markStage(view, names(view))],
    reasons: [],
  });
  return leftovers.stages.length > 0 ? leftovers : { ...leftovers, reasons: matchReasons(view) };
}

/** @throws QuorateError refused where controllers are to come into a cluster that is there */
function requireNobodyElse(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new QuorateError('refused', `${names.join(', ')}: no member yet of a cluster that has been formed`, {
    hint: 'bootstrap builds new clusters only: quorate member add -i FILE makes them members',
  });
}

/** `etcd-1 (https://10.0.0.1:2380)`, by the cluster's own list. */
function unlistedMembers(view: View): readonly string[] {
  const { cluster, facts } = view;
  const answering = Object.values(facts.endpoints).find((each) => each.failure === undefined);
  return (answering?.members ?? [])
    .filter((each) => hostOf(cluster, facts, each) === undefined)
    .map((each) => `${each.name || each.id} (${each.peerUrls.join(', ')})`)
    .sort(compareText);
}

function operatorStage(view: View): Stage {
  const create: Draft = { kind: 'store.create', host: OPERATOR, why: 'each forming gets a token of its own' };
  const drafts = [...(view.pki.identity === undefined ? [create] : []), ...releaseFetches(view, names(view))];
  return stage('operator', 'with the operator', 'operator', drafts);
}

/** No host needs them before certificates are issued: they are made while hosts unpack the release. */
function authorityDrafts(view: View): readonly Draft[] {
  const purposes = missingAuthorities(view);
  const make: Draft = { kind: 'authority.make', host: OPERATOR, purposes, why: 'there is none yet' };
  const issue: Draft = { kind: 'admin.issue', host: OPERATOR, why: 'there is none yet' };
  return [...(purposes.length > 0 ? [make] : []), ...(view.pki.admin === undefined ? [issue] : [])];
}

/** Authorities that the inventory wants and the store lacks. */
export function missingAuthorities(view: View): readonly string[] {
  const wanted = view.cluster.pki.authorities === 'single' ? ['both'] : ['client', 'peer'];
  return wanted.filter((purpose) => !view.pki.authorities.some((each) => each.purpose === purpose));
}

/** What is signed elsewhere must be there before anything is built: nothing here could make it. @throws QuorateError refused */
function requireSigned(view: View): void {
  const { pki, cluster } = view;
  const authorities = cluster.pki.external.filter((each) => missingAuthorities(view).includes(each));
  const members = names(view).flatMap((name) => lackingWords(view, name));
  const waits = waitingAdmin(view, adminProfile(cluster.pki)) !== undefined;
  const admin = isOutside(view, 'client') && pki.admin === undefined && !waits ? [`${OPERATOR}: client`] : [];
  const lacking = [...authorities.map((each) => `the ${each} authority`), ...members, ...admin];
  refuseUnsigned(cluster.name, lacking);
}

type Generations = Readonly<Record<string, GenerationDrafts>>;

/** For each member whose keys and certificates are not as wanted yet. */
function generationsOf(view: View): Generations {
  const all = names(view).flatMap((name) => {
    const turn = mendingTurn(view, name);
    return turn === undefined ? [] : [[name, generationDrafts(view, turn)] as const];
  });
  return Object.fromEntries(all);
}

function prepareStage(view: View, generations: Generations): Stage {
  const drafts = view.cluster.controllers.flatMap((each) => [
    ...neededDrafts(view, prepareCandidates(view, each)),
    ...(generations[each.name]?.prepare ?? []),
  ]);
  return stage('prepare', 'prepare the hosts', 'parallel', [...authorityDrafts(view), ...drafts]);
}

function configureStage(view: View, generations: Generations, starts: Readonly<Record<string, StartState>>): Stage {
  const drafts = view.cluster.controllers.flatMap((controller) => {
    const { name: host } = controller;
    const attempt: Candidate = { kind: 'record.attempt', host, member: host };
    return [
      ...(generations[host]?.put ?? []),
      ...(generations[host]?.switch ?? []),
      ...neededDrafts(view, configureCandidates(view, controller)),
      ...(startsAnew(view, host, starts) ? vainStop(view, host) : []),
      ...(starts[host] === 'started' ? [] : neededDrafts(view, [attempt])),
    ];
  });
  return stage('configure', 'configure the members', 'parallel', drafts);
}

/** Whether a member without data goes on trying from an earlier run, perhaps without the environment that a reboot took away. */
function startsAnew(view: View, host: string, starts: Readonly<Record<string, StartState>>): boolean {
  const records = view.facts.hosts[host]?.records;
  return starts[host] === 'new' && (records?.attempt ?? records?.starting) !== undefined;
}

function vainStop(view: View, host: string): readonly Draft[] {
  const stop: Candidate = { kind: 'unit.stop', host, unit: view.cluster.unit };
  return neededDrafts(view, [stop]).map((each) => ({ ...each, why: 'it tries to start and has no data yet' }));
}

function startStage(view: View, starts: Readonly<Record<string, StartState>>): Stage {
  const { unit } = view.cluster;
  const drafts = view.cluster.controllers.flatMap(({ name: host }) => {
    const state = starts[host] === 'new' ? 'new' : 'existing';
    const files = state === 'new' ? (view.desired[host]?.bootstrapFiles ?? []) : [];
    const start = { kind: 'unit.start', host, unit, state, files } as const;
    const enable = neededDrafts(view, [{ kind: 'unit.enable', host, unit }]);
    const stopped = startsAnew(view, host, starts) && vainStop(view, host).length > 0;
    if (stopped) return [...enable, { ...start, why: 'it is stopped before' }];
    return [...enable, ...neededDrafts(view, [start])];
  });
  return stage('start', 'start all members at once', 'parallel', drafts);
}

function proofStages(view: View, hosts: readonly string[]): readonly Stage[] {
  const members = names(view);
  const proofs: readonly Draft[] = [
    { kind: 'cluster.await', host: OPERATOR, members, why: 'a cluster is formed when etcd says so' },
    { kind: 'cluster.prove', host: OPERATOR, members, why: 'only what was seen to hold is marked' },
    ...formationNote(view),
  ];
  return [stage('prove', 'form and prove the cluster', 'operator', proofs), markStage(view, hosts)];
}

/** Before the first mark: from then on the store alone keeps hosts without data from being taken for new ones. */
function formationNote({ identity }: View): readonly Draft[] {
  if (identity?.formedAt !== undefined) return [];
  return [{ kind: 'formation.note', host: OPERATOR, why: 'hosts without its data are never taken for new ones then' }];
}

function markStage(view: View, hosts: readonly string[]): Stage {
  const { unit } = view.cluster;
  const drafts = hosts.flatMap((host) => {
    const files = (view.desired[host]?.bootstrapFiles ?? []).map((each) => each.path);
    return neededDrafts(view, [{ kind: 'marker.put', host, unit, files }]);
  });
  return stage('mark', 'mark the cluster as formed', 'parallel', drafts);
}

function everyone(view: View, state: StartState): Readonly<Record<string, StartState>> {
  return Object.fromEntries(names(view).map((name) => [name, state]));
}

function names(view: View): readonly string[] {
  return view.cluster.controllers.map((each) => each.name);
}
