/** certs ca external install: what an authority elsewhere signed is checked, kept, and brought to the members as a rotation brings it. Pure. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import type { PkiView } from '../domain/pki-view.ts';
import { dropEmptyStages, type Plan, type Stage, stage } from '../domain/plan.ts';
import { type AcceptedCertificate, type Draft, OPERATOR } from '../domain/step.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { tryParse } from '../pki/inspect.ts';
import { adminRenewal } from './admin-renewal.ts';
import type { OfferedFile } from './external-match.ts';
import { type JudgedOffer, judgeOffer } from './external-offer.ts';
import { requestedPurposes, requestMembers } from './external-request.ts';
import { mendingTurn } from './generation.ts';
import { livesOf } from './generation-wish.ts';
import { requireSettled } from './moves.ts';
import { showsEnded } from './outside.ts';
import { planRotateCa } from './rotate-ca.ts';
import { isDown, requireNoRotation, requireRotatable } from './rotate-refusals.ts';
import { rotateStages, rotateWarnings, runs } from './rotate-stages.ts';
import { progressOf, type RotationStage } from './rotation-phases.ts';
import { planBase, type View } from './view.ts';

export interface InstallWish {
  readonly files: readonly OfferedFile[];
  /** How far a change of the authority goes: to members that trust both, or to new certificates. */
  readonly until: Extract<RotationStage, 'trust-both' | 'leaves'>;
  readonly allowDowntime: boolean;
}

const VERB = 'certs ca external install';

/**
 * Takes in what was signed and brings it to the members: certificates of the authority in force one member at a time without a restart, those of another one
 * in the stages of a rotation of authorities. Before the cluster is formed, and while no member serves, it is only kept: bootstrap and rescue use it.
 * @throws QuorateError refused, with everything that is wrong with any file
 */
export function planExternalInstall(view: View, wish: InstallWish): Plan {
  requestedPurposes(view);
  if (view.pki.identity === undefined) {
    throw new QuorateError('refused', `${view.cluster.stateDir}: no certificate was requested yet`, {
      hint: 'quorate certs ca external request -i FILE --out DIR',
    });
  }
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  const formed = view.identity?.formedAt !== undefined || verdict.kind === 'formed';
  // Whose keys certificates came back for is known of members that were observed alone.
  const names = requestMembers(view, { members: [] });
  const members = names.filter((name) => !isOutsider(view, name));
  if (formed) {
    requireRotatable(view, members.length === 0 ? names : members);
    requireNoRotation(view, VERB);
    requireSettled(view, names);
  }
  const offer = judgeOffer(view, wish.files, { formed });
  const fresh = offer.certificates.filter((each) => !isKept(view.pki, each));
  const drafts = acceptDrafts(offer, fresh);
  const then = { ...view, pki: withOffer(view.pki, offer) };
  const plan = formed
    ? planFormed(then, { drafts, members }, wish)
    : keptOnly(then, drafts, 'quorate bootstrap uses them');
  return { ...plan, verb: VERB, warnings: [...plan.warnings, ...offer.warnings] };
}

/** A controller that is to become a member: what was signed for it is kept until it does. */
function isOutsider({ facts }: View, name: string): boolean {
  return facts.hosts[name]?.records.marker === undefined;
}

function planFormed(
  view: View,
  { drafts, members }: { readonly drafts: readonly Draft[]; readonly members: readonly string[] },
  wish: InstallWish,
): Plan {
  const { cluster, pki } = view;
  const changing = cluster.pki.external.filter((each) => progressOf(pki, each) !== 'settled');
  if (isDown(view) || showsEnded(view)) {
    return keptOnly(view, drafts, 'no member serves: quorate certs rescue puts them into force');
  }
  if (changing.length > 0) {
    const { until, allowDowntime } = wish;
    const how = { purposes: changing, until, crossSign: false, direction: 'forward', clients: [] } as const;
    const plan = planRotateCa(view, { ...how, allowDowntime, signed: true });
    return { ...plan, stages: [...acceptStages(drafts), ...plan.stages] };
  }
  const turns = members.flatMap((name) => mendingTurn(view, name) ?? []);
  const admin = adminRenewal(view).draft;
  const operator = [...drafts, ...(admin === undefined ? [] : [admin])];
  const stages = rotateStages(view, { members, turns, goal: undefined, setsGoal: false, operator });
  const base = planBase(view, VERB);
  const plan = dropEmptyStages({ ...base, stages, reasons: [] });
  const waiting = cluster.controllers
    .filter(({ name }) => !members.includes(name))
    .map(({ name }) => ({ host: name, reason: 'what was signed for it is kept until quorate member add takes it up' }));
  const told = waiting.map(({ host, reason }) => `${host}: ${reason}`);
  const warnings = [...base.warnings, ...rotateWarnings(view, turns), ...told];
  return plan.stages.length === 0
    ? { ...plan, reasons: [...members.flatMap((name) => lifeReasons(view, name)), ...waiting] }
    : { ...plan, warnings };
}

function keptOnly(view: View, drafts: readonly Draft[], then: string): Plan {
  const plan = dropEmptyStages({ ...planBase(view, VERB), stages: acceptStages(drafts), reasons: [] });
  if (plan.stages.length > 0)
    return { ...plan, warnings: [...plan.warnings, `they are kept in ${view.cluster.stateDir}: ${then}`] };
  return { ...plan, reasons: [{ host: OPERATOR, reason: `everything is kept already: ${then}` }] };
}

function acceptStages(drafts: readonly Draft[]): readonly Stage[] {
  const accept = stage('accept', 'take in what was signed', 'operator', drafts);
  return accept.steps.length === 0 ? [] : [accept];
}

function acceptDrafts({ authorities }: JudgedOffer, certificates: readonly AcceptedCertificate[]): readonly Draft[] {
  const imports = authorities.map(({ view: { id, certificate }, chain }): Draft => {
    return {
      kind: 'authority.import',
      host: OPERATOR,
      authority: id,
      certificate,
      chain,
      why: 'it has signed what came back',
    };
  });
  const accept: Draft = { kind: 'certificate.accept', host: OPERATOR, certificates, why: 'all of it was checked' };
  return [...imports, ...(certificates.length === 0 ? [] : [accept])];
}

/** The store after it. */
function withOffer(pki: PkiView, { authorities, certificates }: JudgedOffer): PkiView {
  const kept = certificates.map((each) => [keyOf(each), each.certificate] as const);
  return {
    ...pki,
    authorities: [...pki.authorities, ...authorities.map((each) => each.view)],
    external: { ...pki.external, ...Object.fromEntries(kept) },
  };
}

function isKept({ external = {} }: PkiView, certificate: AcceptedCertificate): boolean {
  return sha256Of(external[keyOf(certificate)]) === sha256Of(certificate.certificate);
}

function keyOf({ publicKey }: AcceptedCertificate): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
}

function sha256Of(pem: string | undefined): string | undefined {
  return pem === undefined ? undefined : tryParse(pem)?.facts.sha256;
}

function lifeReasons(view: View, host: string): Plan['reasons'] {
  const lives = Object.entries(livesOf(view, host)).map(([purpose, { text }]) => `${purpose} ${text}`);
  const served = runs(view, host) ? 'in use' : 'in place';
  return [{ host, reason: `everything that came back is ${served} (${lives.join('; ')})` }];
}
