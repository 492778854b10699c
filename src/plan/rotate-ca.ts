/** certs rotate-ca: the phases that are left of replacing, renewing or taking back authorities, and every member's steps in them. Pure. */
import { currentGeneration, generationsOn } from '../domain/generation.ts';
import type { PkiView } from '../domain/pki-view.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { type Draft, leafPurposes, OPERATOR } from '../domain/step.ts';
import { tryParse } from '../pki/inspect.ts';
import { adminRenewal } from './admin-renewal.ts';
import { generationsDirectory, pruneDrafts } from './generation.ts';
import { flawsOf, hasFlaws, wishOf } from './generation-wish.ts';
import { neededDrafts } from './host-steps.ts';
import { requireSettled } from './moves.ts';
import { waitingLeaf } from './outside.ts';
import { hasForbiddenNames } from './permitted-names.ts';
import { withListRefresh } from './revocation-refresh.ts';
import { type AskedRotation, requireKeys, requireWhole } from './rotate-ca-refusals.ts';
import { requireNoRotation, requireRotatable } from './rotate-refusals.ts';
import {
  backPhases,
  comingPhases,
  type Phase,
  type Progress,
  type Purpose,
  presentPhase,
  progressOf,
  renewalPhase,
} from './rotation-phases.ts';
import { foreseenWay, phaseTurn, type Way } from './rotation-turns.ts';
import { planBase, type View } from './view.ts';

/** What is asked for: go forward (to a stage), back, or new dates alone. */
export interface RotateCaWish extends AskedRotation {
  readonly allowDowntime: boolean;
  /** Clients, not members, whose certificates are valid: by the authority that signed them. */
  readonly clients: readonly { readonly authority: string; readonly commonName: string }[];
}

/**
 * Every stage that is left, from the least advanced member on; empty with reasons where the store and all members are there already. Members that do not
 * follow what an earlier run wanted are brought to it first, and where that run was at its end nothing else is begun.
 * @throws QuorateError refused
 */
export function planRotateCa(view: View, wish: RotateCaWish): Plan {
  const members = view.cluster.controllers.map((each) => each.name);
  requireRotatable(view, members);
  requireSettled(view, members);
  requireWhole(view.pki, wish);
  requireKeys(view, wish);
  // Leaves with a new name can't be issued before the authorities permit it.
  const grows = wish.direction === 'renew' && hasForbiddenNames(view);
  if (!grows) requireNoRotation(view, 'certs rotate-ca');
  const present = presentPhase(view.pki, wish.purposes);
  const behind = phaseStages(view, [present]);
  const finishes = present.id === 'settle' && behind.length > 0 && !grows && !areAhead(view, behind);
  const all = finishes ? [present] : withListRefresh(phasesOf(view.pki, wish, present), view.now);
  const phases = withAdmin(view, all);
  const stages = phaseStages(view, phases);
  const plan = dropEmptyStages({ ...planBase(view, 'certs rotate-ca'), stages, reasons: [] });
  if (plan.stages.length === 0) return { ...plan, reasons: reasonsOf(view, wish) };
  const ends = finishes ? [endsOnly] : [];
  const warnings = [...plan.warnings, ...ends, ...clientWarnings(view.pki, wish, phases)];
  return { ...plan, warnings, ...(wish.allowDowntime ? { permits: { downtime: true } } : {}) };
}

const endsOnly =
  'this brings members to what is wanted already, and begins nothing else: run the same command again for another rotation';

/** Whether nothing is left but folders that a rotation of leaves prepared and never came to use: those are the end of nothing, and are used by what comes. */
function areAhead(view: View, stages: readonly Stage[]): boolean {
  const kinds = stages.flatMap((each) => each.steps.map((step) => step.kind));
  if (!kinds.every((each) => each === 'generation.prune' || each === 'certificates.prove')) return false;
  return Object.values(view.facts.hosts).every((host) => {
    const numbers = generationsOn(view.cluster, host).map((path) => Number(path.slice(path.lastIndexOf('/') + 1)));
    return numbers.every((each) => each >= currentGeneration(view.cluster, host));
  });
}

/** What a run has left undone; planning again at the end of a rotation would begin another. */
export function rotateCaLeft(view: View, wish: RotateCaWish): Plan {
  const present = presentPhase(view.pki, wish.purposes);
  const ended = present.id === 'settle' || wish.direction !== 'forward';
  const stages = phaseStages(view, [present, ...(ended ? [] : comingPhases(view.pki, wish))]);
  const left = wish.direction === 'renew' && leavesAloneDiffer(view) ? [] : stages;
  return dropEmptyStages({ ...planBase(view, 'certs rotate-ca'), stages: left, reasons: [] });
}

/** New dates change bundles: a leaf that waited for them (a name that was not permitted before) is for `certs rotate --due`. */
function leavesAloneDiffer(view: View): boolean {
  const wish = wishOf(view, () => 'carry');
  const flaws = view.cluster.controllers.map(({ name }) => flawsOf(view, name, wish));
  return flaws.every((each) => each.trust === undefined) && flaws.some(hasFlaws);
}

/** The stage that the store has reached, of the purpose that is furthest behind. */
export function rotationProgress(pki: PkiView, purposes: readonly Purpose[]): Progress {
  const phase = presentPhase(pki, purposes);
  return purposes.map((each) => progressOf(pki, each)).find((each) => each === phase.id) ?? 'settled';
}

function phasesOf(pki: PkiView, wish: RotateCaWish, present: Phase): readonly Phase[] {
  if (wish.direction === 'back') {
    const back = backPhases(pki, wish.purposes);
    return present.id === 'leaves-old' ? [present, ...back] : back;
  }
  if (wish.direction === 'renew') return [renewalPhase(pki, wish.purposes, hashesOf(pki))];
  const coming = comingPhases(pki, wish);
  const replaced = coming[0]?.id === present.id || (present.id === 'trust-both' && wish.crossSign);
  return present.id === 'settle' || replaced ? coming : [present, ...coming];
}

/** The operator's own certificate comes first where an earlier run was interrupted before it, or where it has ended: nothing could be proved without. */
function withAdmin(view: View, phases: readonly Phase[]): readonly Phase[] {
  const [first, ...others] = phases;
  const { draft } = adminRenewal(view);
  if (first === undefined || draft === undefined || first.drafts.some((each) => each.kind === 'admin.issue'))
    return phases;
  return [{ ...first, drafts: [draft, ...first.drafts] }, ...others];
}

function phaseStages(view: View, phases: readonly Phase[]): readonly Stage[] {
  const stages: Stage[] = [];
  let ways: readonly Way[] = view.cluster.controllers.map(({ name }): Way => ({ host: name, moved: undefined }));
  for (const phase of phases) {
    // A renewed certificate is not there before it is made, and nothing but bundles follows it.
    const from = phase.id === 'trust-renewed' ? ways.map((way) => foreseenWay(view, way)) : ways;
    const turns = from.map((way) => phaseTurn(view, way, phase));
    stages.push(...stagesOf(view, phase, turns));
    ways = turns.map((each) => each.after);
  }
  const prune = stage(
    'prune',
    'remove what was replaced',
    'parallel',
    ways.flatMap((way) => foreseenPrune(view, way, phases)),
  );
  const all = [...stages, ...(prune.steps.length > 0 ? [prune] : [])];
  const [first] = phases;
  // An interruption may have come between the last turn of a phase and its proof.
  const proved = first === undefined || all[0] === undefined || belongsTo(all[0], first);
  return proved ? all : [proofStage(view, first), ...all];
}

function belongsTo({ id }: Stage, phase: Phase): boolean {
  return id === phase.id || id.startsWith(`${phase.id}-`);
}

function proofStage(view: View, { id, title }: Phase): Stage {
  const members = view.cluster.controllers.map((each) => each.name);
  const why = 'before anything else is changed';
  return stage(`${id}-prove`, 'prove what is served and trusted', 'operator', [
    { kind: 'certificates.prove', host: OPERATOR, members, what: title, why },
  ]);
}

function stagesOf(view: View, phase: Phase, turns: readonly ReturnType<typeof phaseTurn>[]): readonly Stage[] {
  const { id, title } = phase;
  const of = (pick: 'prepare' | 'issue' | 'put' | 'switch'): readonly Draft[] =>
    turns.flatMap((each) => each.drafts[pick]);
  const folders = turns
    .filter((each) => each.drafts.prepare.length > 0)
    .flatMap(({ after }) => neededDrafts(view, [generationsDirectory(view, after.host)]));
  const issue = of('issue');
  const early = issue.length === 0 ? of('put') : [];
  const stages = [
    stage(id, title, 'operator', phase.drafts),
    stage(`${id}-prepare`, 'prepare new generations beside those in use', 'parallel', [
      ...folders,
      ...of('prepare'),
      ...early,
    ]),
    stage(`${id}-issue`, 'issue certificates', 'operator', issue),
    stage(`${id}-put`, 'put the certificates beside their keys', 'parallel', issue.length === 0 ? [] : of('put')),
    stage(
      `${id}-roll`,
      phase.restart ? `${title}: restart one member after the other` : `${title}: switch over`,
      'rolling',
      of('switch'),
    ),
  ].filter((each) => each.steps.length > 0);
  return stages.length === 0 ? [] : [...stages, proofStage(view, phase)];
}

/** Everything but the generation that is then in use: what earlier phases of this plan will have made goes as well. */
function foreseenPrune(view: View, { host, moved }: Way, phases: readonly Phase[]): readonly Draft[] {
  const current = currentGeneration(view.cluster, view.facts.hosts[host]);
  const number = moved?.number ?? current;
  const taken = leafPurposes.filter((each) =>
    phases.some(({ pki }) => waitingLeaf({ ...view, pki }, host, each)?.key === 'requested'),
  );
  const seen = pruneDrafts(view, { host, number }, taken);
  return seen.length > 0 || number === current
    ? seen
    : pruneDrafts({ ...view, facts: { ...view.facts, hosts: {} } }, { host, number });
}

/** Whom outside the cluster each phase ends, told while there is time to give them what they need. */
function clientWarnings(pki: PkiView, wish: RotateCaWish, phases: readonly Phase[]): readonly string[] {
  const names = (ids: readonly string[]): string =>
    [...new Set(wish.clients.filter((each) => ids.includes(each.authority)).map((each) => each.commonName))]
      .sort()
      .join(', ');
  const retiring = phases.flatMap((phase) =>
    phase.drafts.flatMap((each) => (each.kind === 'authority.retire' ? each.ids : [])),
  );
  const held = names(retiring);
  const first = phases.some((each) => each.id === 'leaves') ? names(pki.authorities.map((each) => each.id)) : '';
  return [
    ...(held === ''
      ? []
      : [
          `from trust-new on, certificates of ${retiring.join(', ')} are refused, and these clients hold them: ${held} (quorate certs client issue)`,
        ]),
    ...(first === ''
      ? []
      : [
          `give these clients the new bundle before drop-cross, and a new certificate before trust-new: ${first} (quorate certs export, quorate certs client issue)`,
        ]),
    ...(phases.some((each) => each.id === 'drop-cross')
      ? [
          'from drop-cross on, clients that read only the old bundle when they started (a kube-apiserver does) cannot verify the members any more: restart them with the new bundle first',
        ]
      : []),
  ];
}

function hashesOf(pki: PkiView): Readonly<Record<string, string>> {
  return Object.fromEntries(pki.authorities.map((each) => [each.id, tryParse(each.certificate)?.facts.sha256 ?? '']));
}

function reasonsOf(view: View, wish: RotateCaWish): readonly Reason[] {
  const texts = wish.purposes.map((each) => `${each}: ${progressWords[progressOf(view.pki, each)]}`);
  return view.cluster.controllers.map(({ name }) => ({ host: name, reason: `follows the store: ${texts.join('; ')}` }));
}

const progressWords: Readonly<Record<Progress, string>> = {
  settled: 'no rotation is open',
  back: 'the old authority signs again',
  'trust-both': 'the old authority and the new one are trusted (trust-both)',
  leaves: 'certificates are of the new authority, the old one is still trusted (leaves)',
  'trust-new': 'the new authority alone is trusted, its cross certificate still served (trust-new)',
};
