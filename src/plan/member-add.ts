/** member add, member promote: controllers that the inventory has become voters of the cluster, one after the other. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { openGoal } from '../domain/goal.ts';
import { addsBesideAllOnly, entryOf, isArriving } from '../domain/membership.ts';
import { compareText, dropEmptyStages, type Plan, type Reason, stage } from '../domain/plan.ts';
import { object } from '../domain/quorum.ts';
import { knownMinor } from '../domain/version.ts';
import { votersOf } from '../domain/voters.ts';
import { requireNotReopened } from './live-refusals.ts';
import { leftFiles } from './member-files.ts';
import { type Arrival, arrivalOf, joinPrune, joinStages, memberFiles, notedId } from './member-join.ts';
import { goalHint, requireFormed, requireList, requireNoOtherArrival, sizeWarnings } from './member-targets.ts';
import { lackingWords, refuseUnsigned } from './outside.ts';
import { requireTlsAmongPeers } from './plaintext.ts';
import { planBase, type View } from './view.ts';

/** What the operator asked for. */
export interface AddWish {
  /** Names of controllers; empty: every one that the cluster lacks. */
  readonly members: readonly string[];
  /** How long a learner may come no further. */
  readonly stallMs: number;
}

/**
 * Empty, with reasons, where all of them are members and written down by the others. An addition that was interrupted goes on with the member that the list
 * has by its peer URL.
 * @throws QuorateError refused, usage, unreachable
 */
export function planAdd(view: View, wish: AddWish): Plan {
  const list = requireList(view);
  requireFormed(view);
  requireTlsAmongPeers(view);
  requireNotReopened(view);
  requireNoReplacing(view);
  const asked = namesOf(view, wish);
  const places = asked.map((name) => ({ name, arrival: placeOf(view, name) }));
  const rank = ({ arrival }: { readonly arrival: Arrival }): number =>
    ['voter', 'learner', 'listed', 'outside'].indexOf(arrival);
  const names = places.toSorted((a, b) => rank(a) - rank(b)).map((each) => each.name);
  const added = places.filter((each) => each.arrival === 'outside').map((each) => each.name);
  requireNoOtherArrival(view, list, names);
  requireJoinable(
    view,
    places.filter((each) => each.arrival !== 'voter').map((each) => each.name),
  );
  requireRoom(view, added);
  const join = { names, list, cleaned: [], stallMs: wish.stallMs };
  const { beside, join: stages } = joinStages(view, join);
  const plan = dropEmptyStages({
    ...planBase(view, 'member add'),
    stages: [
      ...beside,
      ...stages,
      names.length > 0 ? memberFiles(view, join) : leftFiles(view, list),
      stage('prune', 'remove what was replaced', 'parallel', joinPrune(view, join)),
    ],
    reasons: [],
  });
  const voters = list.filter((each) => !each.learner).length + places.filter((each) => each.arrival !== 'voter').length;
  const warnings = [...plan.warnings, ...(added.length > 0 ? sizeWarnings(voters) : [])];
  return { ...plan, warnings, reasons: plan.stages.length === 0 ? reasonsOf(view, asked) : [] };
}

/**
 * Learners get their vote: those named, or every one.
 * @throws QuorateError refused where one of them is no learner of this inventory
 */
export function planPromote(view: View, wish: AddWish): Plan {
  const names =
    wish.members.length > 0 ? wish.members : newcomersOf(view).filter((name) => placeOf(view, name) === 'learner');
  for (const name of names) {
    const arrival = placeOf(view, name);
    if (arrival === 'learner' || arrival === 'voter') continue;
    throw new QuorateError(
      'refused',
      `${name}: ${arrival === 'listed' ? 'has not started yet' : 'is no member'}: there is nothing to promote`,
      {
        host: name,
        hint: `quorate member add ${name} -i FILE adds, starts and promotes it`,
      },
    );
  }
  if (names.length === 0) return { ...planBase(view, 'member promote'), stages: [], reasons: reasonsOf(view, names) };
  const plan = planAdd(view, { ...wish, members: names });
  return { ...plan, verb: 'member promote', reasons: plan.stages.length === 0 ? reasonsOf(view, names) : [] };
}

function namesOf(view: View, { members: asked }: AddWish): readonly string[] {
  if (asked.length === 0) return newcomersOf(view);
  const known = view.cluster.controllers.map((each) => each.name);
  const unknown = asked.filter((each) => !known.includes(each));
  if (unknown.length === 0) return [...new Set(asked)].sort(compareText);
  const leaving = view.cluster.departing?.map((each) => each.name) ?? [];
  const [first = ''] = unknown;
  throw new QuorateError(
    'usage',
    `${first}: ${leaving.includes(first) ? 'is to leave the cluster (state: absent)' : 'the inventory has no such controller'}`,
    {
      hint: `write it under controllers first; those of the inventory: ${known.join(', ')}`,
    },
  );
}

/** Controllers that the cluster lacks, or that are on their way into it. */
export function newcomersOf(view: View): readonly string[] {
  const list = requireList(view);
  return view.cluster.controllers
    .filter((each) => {
      const member = entryOf(view.facts, list, each);
      const marked =
        view.facts.hosts[each.name]?.records.marker !== undefined || view.facts.hosts[each.name] === undefined;
      return member === undefined || isArriving(member) || !marked;
    })
    .map((each) => each.name);
}

function placeOf(view: View, name: string): Arrival {
  const controller = view.cluster.controllers.find((each) => each.name === name);
  if (controller === undefined) throw new QuorateError('usage', `${name}: the inventory has no such controller`);
  return arrivalOf(view, controller, requireList(view));
}

/** @throws QuorateError unreachable, refused: where the hosts of new members cannot be worked on, or other versions run */
export function requireJoinable(view: View, names: readonly string[]): void {
  if (names.length === 0) return;
  const { cluster, facts } = view;
  const missing = names.find((name) => facts.hosts[name] === undefined);
  if (missing !== undefined) {
    throw new QuorateError(
      'unreachable',
      `${missing}: cannot be reached: ${facts.unreachable[missing] ?? 'not connected'}`,
      {
        host: missing,
        hint: 'a new member is made on its host: let quorate reach it first',
      },
    );
  }
  const unsigned = names.flatMap((name) => lackingWords(view, name));
  refuseUnsigned(cluster.name, unsigned);
  for (const name of names) requireEmpty(name, { cluster, facts });
  const other = Object.values(facts.endpoints).find(
    (each) => each.failure === undefined && knownMinor(each.version) !== knownMinor(cluster.version),
  );
  if (other === undefined) return;
  throw new QuorateError(
    'refused',
    `${other.host} runs etcd ${other.version}, and the inventory wants ${cluster.version}: a new member is of the minor that the others run`,
    {
      hint: `bring the members to ${cluster.version} first, or write ${other.version} in the inventory`,
    },
  );
}

/** What no note explains is nobody's to move away. @throws QuorateError refused */
function requireEmpty(name: string, { cluster, facts }: Pick<View, 'cluster' | 'facts'>): void {
  const host = facts.hosts[name];
  if (host === undefined || !host.data.wal || notedId(host) !== undefined) return;
  throw new QuorateError(
    'refused',
    `${name}: holds data of an etcd already (${cluster.paths.dataDir}), and nothing tells whose`,
    {
      host: name,
      hint: 'find out whose data it is; where it is not needed, stop that etcd, move the folder aside, and run the same command again',
    },
  );
}

/** Before anything is shown as possible. @throws QuorateError refused */
function requireRoom({ cluster, facts }: View, added: readonly string[]): void {
  const [first] = added;
  if (first === undefined) return;
  const needsAll = addsBesideAllOnly(cluster, facts);
  const objection = object(votersOf(cluster, facts), { kind: 'add-learner', member: first, needsAll });
  if (objection === undefined) return;
  const down = votersOf(cluster, facts)
    .filter((each) => !each.healthy)
    .map((each) => each.name);
  throw new QuorateError('refused', objection, {
    hint: `replace what is dead first (quorate member replace ${down[0] ?? 'NAME'} -i FILE), or bring it back`,
  });
}

function requireNoReplacing({ pki }: View): void {
  const open = openGoal(pki.goals, 'replace');
  if (open === undefined) return;
  throw new QuorateError(
    'refused',
    `a replacement is open (${open.with} in the place of ${open.member}, begun by ${open.who}, ${open.since})`,
    {
      hint: goalHint(open),
    },
  );
}

function reasonsOf({ cluster }: View, names: readonly string[]): readonly Reason[] {
  const asked = names.length > 0 ? names : cluster.controllers.map((each) => each.name);
  return asked.map((host) => ({ host, reason: 'is a member with a vote, and marked as one' }));
}
