/** apply: a formed cluster is brought to the inventory and the store; what cannot be done safely is refused with the way out. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { openGoal } from '../domain/goal.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage } from '../domain/plan.ts';
import { serves } from '../domain/voters.ts';
import { type MemberChanges, memberChanges } from './apply-members.ts';
import { versionChange } from './apply-version.ts';
import { clientPortWarnings, requireDialled } from './client-ports.ts';
import { type ConvergePart, convergeParts, convergeStages } from './converge.ts';
import { type DowntimeWish, withDowntime } from './downtime.ts';
import { matchReasons } from './drift.ts';
import { requireUnchanged } from './fixed-settings.ts';
import { flawsOf, wishOf } from './generation-wish.ts';
import { chosenMembers, requireData, requireFormed, requireReached } from './live-refusals.ts';
import { type MoveWish, moveWarnings, requireMovable } from './moves.ts';
import { outsideWarnings } from './outside-due.ts';
import { openPlaintext, stagesToTls } from './plaintext.ts';
import { type Roster, rosterOf } from './roster.ts';
import { planBase, type View } from './view.ts';

/** What `--only` names. */
export const applyParts = ['config', 'members', 'version', 'certs', 'units'] as const;
export type ApplyPart = (typeof applyParts)[number];

export interface ApplyWish {
  /** Empty: everything. */
  readonly only: readonly ApplyPart[];
  /** Names of controllers; empty: all. */
  readonly members: readonly string[];
  /** Names of departing hosts whose members are removed. */
  readonly remove: readonly string[];
  /** How long a learner may come no further. */
  readonly stallMs: number;
  readonly downtime: DowntimeWish;
  /** IDs of hazards, besides those of the inventory. */
  readonly accepted?: readonly string[];
}

const NO_CHANGES: MemberChanges = { before: [], behind: [], warnings: [] };

/**
 * Every difference as steps; empty with reasons where there is none.
 * @throws QuorateError refused, unreachable, usage
 */
export function planApply(view: View, wish: ApplyWish): Plan {
  const chosen = chosenMembers(view, wish.members);
  requireFormed(view);
  requireUnchanged(view, chosen);
  requireDialled(view);
  const roster = rosterOf(view);
  requireListed(roster);
  const parts = convergeParts.filter((each) => wish.only.length === 0 || wish.only.includes(each));
  requireMovable(view, roster, { chosen, brought: broughtWhole(parts) });
  const members = chosen.filter((name) => roster.members.includes(name));
  requireReached(view, members, 'quorate apply -i FILE');
  requireAnswer(view, members);
  requireData(
    view,
    roster.wiped.filter((name) => members.includes(name)),
    'quorate apply -i FILE',
  );
  const some = wish.members.length > 0;
  const version = versionChange(view, { parts, roster, some, accepted: wish.accepted ?? [] });
  const whole = !some && wish.only.length === 0;
  const stages =
    stagesToTls(view, { members, parts: version.parts, whole }) ??
    convergeStages(view, { members, parts: version.parts });
  requireUnmixed(view, { members, parts: version.stages.length > 0 ? [...parts, 'config'] : parts, stages });
  const list = wish.only.length === 0 || wish.only.includes('members');
  const changes = list ? memberChanges(view, { ...wish, chosen, files: parts.includes('config') }) : NO_CHANGES;
  const plan = dropEmptyStages({
    ...planBase(view, 'apply'),
    stages: [...changes.before, ...version.stages, ...stages, ...changes.behind],
    reasons: [],
  });
  const elsewhere = parts.includes('certs') ? outsideWarnings(view, members) : [];
  const absent = absences(view, list ? { ...roster, outsiders: [], arriving: [] } : roster, chosen);
  const moves = moveWarnings(view, roster, broughtWhole(parts) === true ? chosen : []);
  const ports = parts.includes('config') ? clientPortWarnings(view, members) : [];
  const open = [...ports, ...openPlaintext(view)];
  const warnings = [plan.warnings, version.warnings, changes.warnings, absent, moves, open, elsewhere].flat();
  const told = { ...plan, warnings: [...new Set(warnings)] };
  if (told.stages.length === 0) return { ...told, reasons: reasonsOf(view, members, wish.only) };
  return withDowntime(view, told, wish.downtime);
}

/** @throws QuorateError refused: the list has members that the inventory does not know */
function requireListed({ strangers }: Roster): void {
  if (strangers.length === 0) return;
  throw new QuorateError(
    'refused',
    `the cluster has members that the inventory does not list: ${strangers.join(', ')}`,
    {
      hint: 'list them under controllers again; or take them out of the cluster by name: quorate member remove NAME -i FILE',
    },
  );
}

/** An address stands in the configuration and in the certificates. */
function broughtWhole(parts: readonly ConvergePart[]): MoveWish['brought'] {
  const [config, certs] = [parts.includes('config'), parts.includes('certs')];
  return config === certs ? config : 'half';
}

/** Where none serves there is nothing to take turns in. */
function requireAnswer({ facts, cluster }: View, members: readonly string[]): void {
  if (cluster.controllers.some(({ name }) => serves(facts, name))) return;
  const down = members.filter((name) => facts.hosts[name]?.unit.activeState !== 'active');
  if (down.length === members.length) {
    throw new QuorateError('refused', `${cluster.name}: is stopped: no member runs`, {
      hint: 'quorate start -i FILE starts all of them at once',
    });
  }
  const said = members.flatMap((name) => {
    const answer = facts.endpoints[name];
    return answer === undefined ? [] : [answer.failure ?? `${name}: a linearizable read does not return`];
  });
  throw new QuorateError(
    'refused',
    `no member serves clients (${said[0] ?? 'no one answers'}): nothing is changed now`,
    {
      hint: 'quorate start -i FILE starts members that are stopped; quorate certs rescue -i FILE mends certificates that have ended; quorate doctor -i FILE tells more',
    },
  );
}

/** What must not come into force by the way of something else. */
function requireUnmixed(
  view: View,
  {
    members,
    parts,
    stages,
  }: {
    readonly members: readonly string[];
    readonly parts: readonly ConvergePart[];
    readonly stages: readonly Stage[];
  },
): void {
  const open = openGoal(view.pki.goals, 'rotate');
  const switches = stages.some(({ steps }) => steps.some((step) => step.kind === 'pki.switch'));
  if (open !== undefined && switches) {
    throw new QuorateError(
      'refused',
      `a rotation is open, begun by ${open.who}, ${open.since}: its certificates come first`,
      {
        hint: 'quorate certs rotate -i FILE finishes it; --only config leaves certificates alone',
      },
    );
  }
  if (!parts.includes('config') || parts.includes('certs') || view.pki.crls === undefined) return;
  const lacking = members.find(
    (name) =>
      flawsOf(
        view,
        name,
        wishOf(view, () => 'carry'),
      ).trust !== undefined,
  );
  if (lacking === undefined) return;
  throw new QuorateError('refused', `${lacking}: its configuration names revocation lists that it does not have yet`, {
    host: lacking,
    hint: 'quorate certs revoke -i FILE brings them; or run apply without --only',
  });
}

/** Controllers that are passed over, and what takes them in. */
function absences({ facts }: View, { outsiders, arriving }: Roster, chosen: readonly string[]): readonly string[] {
  const left = Object.keys(facts.unreachable).filter((name) => !chosen.includes(name));
  return [
    ...outsiders.map((name) => `${name}: is in the inventory and no member yet: quorate member add ${name} -i FILE`),
    ...arriving.map((name) => `${name}: is a member without a vote yet: quorate member add ${name} -i FILE goes on`),
    ...left.map((name) => `${name}: cannot be reached, and stays as it is: run quorate apply again once it can`),
  ];
}

function reasonsOf(view: View, members: readonly string[], only: readonly ApplyPart[]): readonly Reason[] {
  const matches = matchReasons(view).filter(({ host }) => members.includes(host));
  if (only.length === 0) return matches;
  return matches.map(({ host }) => ({ host, reason: `${only.join(', ')}: as wanted` }));
}
