/** certs rescue: a cluster whose certificates, or whose authorities, have expired is given new ones while it is down. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { currentGeneration, trustWish } from '../domain/generation.ts';
import { openGoal } from '../domain/goal.ts';
import { pkiLink } from '../domain/layout.ts';
import { type AuthorityView, activeAuthority } from '../domain/pki-view.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { majority } from '../domain/quorum.ts';
import { type Draft, leafPurposes, OPERATOR } from '../domain/step.ts';
import { serves } from '../domain/voters.ts';
import { tryParseChain } from '../pki/chain.ts';
import { tryParse } from '../pki/inspect.ts';
import { adminProfile } from '../pki/profile.ts';
import { adminRenewal } from './admin-renewal.ts';
import {
  type GenerationDrafts,
  generationDrafts,
  generationsDirectory,
  mendingTurn,
  pruneDrafts,
} from './generation.ts';
import { livesOf } from './generation-wish.ts';
import { neededDrafts } from './host-steps.ts';
import { isOutside, refuseUnsigned, uselessWords, waitingAdmin } from './outside.ts';
import { replacedView, replacingDrafts } from './rescue-replace.ts';
import { requireRotatable } from './rotate-refusals.ts';
import { runsWithExpiredTrust } from './running-trust.ts';
import { planBase, type View } from './view.ts';

/**
 * New dates for authorities that have expired (their keys and subjects stay, so that whoever gets the new bundle verifies everything), new certificates
 * where those in use are of no use, all members at once, restarted together where their bundle has changed: no handshake can succeed before that, so
 * nothing is lost by it.
 * A member that comes back after a rescue is brought to where the others are, which does nothing to those.
 * @throws QuorateError refused where it would change members that serve, and the cluster has quorum: a rotation mends it one member at a time
 */
export function planRescue(view: View): Plan {
  const { cluster, facts } = view;
  // One without data would not come back by a restart: it is left for what mends members.
  const members = cluster.controllers.map((each) => each.name).filter((name) => facts.hosts[name]?.data.wal === true);
  requireRotatable(view, members);
  requireKnownIssuers(view, members);
  const ended = expiredAuthorities(view);
  const replaced = replacedView(view, ended);
  const expired = ended.filter((each) => each.signsElsewhere !== true);
  requireOwnSigners(replaced, members);
  // A renewed authority is not there before it is made: until then no certificate and no bundle is what is wanted.
  const then = {
    ...replaced,
    pki: {
      ...replaced.pki,
      authorities: replaced.pki.authorities.map((each) =>
        expired.includes(each) ? { ...each, certificate: '' } : each,
      ),
    },
  };
  const rescues = members.map((host) => rescueOf(then, host));
  const changed = rescues.filter(({ drafts, restart }) => drafts !== undefined || restart.length > 0);
  const plan = planBase(view, 'certs rescue');
  if (rescues.every(({ drafts, restart, prune }) => drafts === undefined && restart.length + prune.length === 0))
    return { ...plan, stages: [], reasons: soundReasons(view, members) };
  requireDown(
    view,
    changed.map(({ host }) => host),
    ended,
  );
  const operator = [...replacingDrafts(view, ended), ...operatorDrafts(replaced, expired)];
  const stages = stagesOf(view, changed.length === 0 ? [] : operator, rescues);
  const warnings = [...plan.warnings, ...absentWarnings(view, members)];
  return dropEmptyStages({ ...plan, stages, reasons: [], warnings });
}

/** What only an authority elsewhere could sign must be there, or nothing would come back up. @throws QuorateError refused */
function requireOwnSigners(view: View, members: readonly string[]): void {
  const { pki, cluster, now } = view;
  const end = tryParseChain(pki.admin ?? '')?.leaf.facts.notAfter ?? 0;
  const waits = waitingAdmin(view, adminProfile(cluster.pki)) !== undefined;
  const admin = isOutside(view, 'client') && end <= now && !waits ? [`${OPERATOR}: client`] : [];
  refuseUnsigned(cluster.name, [...members.flatMap((name) => uselessWords(view, name)), ...admin]);
}

/** The authorities that sign and have expired. */
function expiredAuthorities({ pki, now }: View): readonly AuthorityView[] {
  const active = (['client', 'peer'] as const).flatMap((use) => activeAuthority(pki, use) ?? []);
  return [...new Set(active)].filter((each) => (tryParse(each.certificate)?.facts.notAfter ?? now) <= now);
}

function operatorDrafts(view: View, expired: readonly AuthorityView[]): readonly Draft[] {
  const renewals = expired.map(({ id, certificate }) => {
    return { id, replaces: tryParse(certificate)?.facts.sha256 ?? '' };
  });
  const renew: readonly Draft[] =
    renewals.length === 0 ? [] : [{ kind: 'authority.renew', host: OPERATOR, renewals, why: 'it has expired' }];
  const clients = expired.some((each) => each.purpose !== 'peer');
  const admin = clients ? ADMIN_AFTER_AUTHORITY : adminRenewal(view).draft;
  return [...renew, ...(admin === undefined ? [] : [admin])];
}

const ADMIN_AFTER_AUTHORITY: Draft = { kind: 'admin.issue', host: OPERATOR, why: 'it ended with its authority' };

/** @throws QuorateError refused where members can be mended one after the other, without stopping the cluster */
function requireDown(view: View, changed: readonly string[], expired: readonly AuthorityView[]): void {
  const serving = changed.filter((name) => serves(view.facts, name));
  if (serving.length === 0 || expired.length > 0) return;
  if (serving.every((name) => trustsTheExpired(view, name))) return;
  const { controllers } = view.cluster;
  const healthy = controllers.filter(({ name }) => serves(view.facts, name));
  if (healthy.length < majority(controllers.length)) return;
  throw new QuorateError(
    'refused',
    `${healthy.length} of ${controllers.length} members serve, so the cluster has quorum, and a rescue would change ${serving.join(', ')} of them all at once`,
    {
      hint: 'mend them one at a time: quorate certs rotate --due -i FILE; what does not serve then: quorate certs rescue',
    },
  );
}

function soundReasons(view: View, members: readonly string[]): readonly Reason[] {
  return members.map((host) => {
    const text = Object.entries(livesOf(view, host)).map(([purpose, life]) => `${purpose} ${life.text}`);
    return {
      host,
      reason: `its certificates and bundles are as wanted, and it runs with them (${text.join('; ')}): quorate doctor looks at everything else`,
    };
  });
}

function absentWarnings({ cluster, facts }: View, members: readonly string[]): readonly string[] {
  return cluster.controllers
    .filter(({ name }) => !members.includes(name))
    .map(({ name }) => {
      const gone = facts.hosts[name] === undefined;
      const what = gone ? (facts.unreachable[name] ?? `${name}: was not observed`) : `${name}: has no data`;
      return `${what}: it is left as it is${gone ? '; once it is back: quorate certs rescue again brings it to what the others have' : ''}`;
    });
}

/** What one member gets. */
interface MemberRescue {
  readonly host: string;
  readonly drafts: GenerationDrafts | undefined;
  readonly restart: readonly Draft[];
  readonly prune: readonly Draft[];
}

/** Old generations go from a member that is sound too: an interrupted rescue may have left them there. Those of an open rotation are not old. */
function rescueOf(view: View, host: string): MemberRescue {
  const turn = mendingTurn(view, host);
  const drafts = turn === undefined ? undefined : generationDrafts(view, turn);
  const current = currentGeneration(view.cluster, view.facts.hosts[host]);
  const rotates = openGoal(view.pki.goals, 'rotate') !== undefined;
  const left = rotates ? [] : pruneDrafts(view, { host, number: current });
  return { host, drafts, restart: restartDrafts(view, host), prune: drafts?.prune ?? left };
}

function stagesOf(view: View, operator: readonly Draft[], rescues: readonly MemberRescue[]): readonly Stage[] {
  const of = (pick: 'prepare' | 'issue' | 'put' | 'switch'): readonly Draft[] =>
    rescues.flatMap(({ drafts }) => drafts?.[pick] ?? []);
  const members = rescues.map(({ host }) => host);
  const folders = members.flatMap((host) => neededDrafts(view, [generationsDirectory(view, host)]));
  return [
    stage('operator', 'with the operator', 'operator', operator),
    stage('prepare', 'prepare new generations beside those in use', 'parallel', [
      ...(of('prepare').length > 0 ? folders : []),
      ...of('prepare'),
    ]),
    stage('issue', 'issue certificates', 'operator', of('issue')),
    stage('put', 'put the certificates beside their keys', 'parallel', of('put')),
    stage('switch', 'switch over, all at once', 'parallel', of('switch')),
    stage(
      'restart',
      'start the members together',
      'parallel',
      rescues.flatMap(({ restart }) => restart),
    ),
    stage('prove', 'prove that the cluster is back', 'operator', proofDrafts(members)),
    stage(
      'prune',
      'remove what was replaced',
      'parallel',
      rescues.flatMap(({ prune }) => prune),
    ),
  ];
}

function proofDrafts(members: readonly string[]): readonly Draft[] {
  const what = 'the members serve and trust what is on disk';
  return [
    { kind: 'cluster.await', host: OPERATOR, members, why: 'the rescue is done when etcd says so' },
    { kind: 'certificates.prove', host: OPERATOR, members, what, why: 'only then old keys are removed' },
  ];
}

/**
 * A member that does not come up changes its state all the time: the plan names it by what does not change. One that runs is restarted with the others only
 * where its process trusts nothing but what has expired.
 */
function restartDrafts(view: View, host: string): readonly Draft[] {
  const restart = restartOf(view, host);
  const down = view.facts.hosts[host]?.unit.activeState !== 'active';
  if (down) return [{ ...restart, why: 'it does not serve' }];
  return trustsTheExpired(view, host) ? neededDrafts(view, [restart]) : [];
}

function trustsTheExpired({ facts, now }: View, name: string): boolean {
  const host = facts.hosts[name];
  return host !== undefined && runsWithExpiredTrust(host, now);
}

/** @throws QuorateError refused where a member has a certificate of an authority that the store does not know: the store is older than the cluster */
function requireKnownIssuers(view: View, members: readonly string[]): void {
  const known = view.pki.authorities.flatMap((each) => tryParse(each.certificate)?.facts.subjectDer ?? []);
  for (const name of members) {
    const certificates = view.facts.hosts[name]?.certificates ?? {};
    const leaves = leafPurposes.flatMap((each) => certificates[`${pkiLink(view.cluster)}/${each}.crt`] ?? []);
    const stranger = leaves
      .flatMap((text) => tryParseChain(text)?.leaf.facts ?? [])
      .find((facts) => !known.includes(facts.issuerDer));
    if (stranger === undefined) continue;
    throw new QuorateError(
      'refused',
      `${name}: has a certificate of ${stranger.issuer}, which this state directory does not know: it is older than the cluster, or another's`,
      {
        host: name,
        hint: 'bring the state directory up to date (git, backup): with an old one clients would be cut off',
      },
    );
  }
}

function restartOf({ cluster, pki }: View, host: string) {
  return {
    kind: 'unit.restart',
    host,
    unit: cluster.unit,
    wish: {},
    trust: trustWish(pki),
    ends: '',
    outage: true,
  } as const;
}
