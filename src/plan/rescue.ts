/** certs rescue: a cluster whose certificates, or whose authorities, have expired is given new ones while it is down. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { trustWish } from '../domain/generation.ts';
import { type AuthorityView, activeAuthority } from '../domain/pki-view.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { majority } from '../domain/quorum.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { tryParse } from '../pki/inspect.ts';
import { adminRenewal } from './admin-renewal.ts';
import { type GenerationDrafts, generationDrafts, generationsDirectory, mendingTurn } from './generation.ts';
import { livesOf } from './generation-wish.ts';
import { neededDrafts } from './host-steps.ts';
import { requireRotatable } from './rotate-refusals.ts';
import { planBase, type View } from './view.ts';

/**
 * New dates for authorities that have expired (their keys and subjects stay, so that whoever gets the new bundle verifies everything), new certificates
 * where those in use are of no use, all members at once, restarted together where their bundle has changed: no handshake can succeed before that, so
 * nothing is lost by it.
 * @throws QuorateError refused where the cluster has quorum and its authorities are valid: a rotation mends it one member at a time
 */
export function planRescue(view: View): Plan {
  const members = view.cluster.controllers
    .map((each) => each.name)
    .filter((name) => view.facts.hosts[name] !== undefined);
  requireRotatable(view, members);
  const expired = expiredAuthorities(view);
  // A renewed authority is not there before it is made: until then no certificate and no bundle is what is wanted.
  const then = {
    ...view,
    pki: {
      ...view.pki,
      authorities: view.pki.authorities.map((each) => (expired.includes(each) ? { ...each, certificate: '' } : each)),
    },
  };
  const drafts = members.flatMap((host) => {
    const turn = mendingTurn(then, host);
    return turn === undefined ? [] : [generationDrafts(then, turn)];
  });
  const restarts = members.flatMap((host) => restartDrafts(then, host));
  const plan = planBase(view, 'certs rescue');
  if (drafts.length + restarts.length === 0) return { ...plan, stages: [], reasons: soundReasons(view, members) };
  requireDown(view, expired);
  const stages = stagesOf(view, { operator: operatorDrafts(view, expired), drafts, members, restarts });
  const warnings = [...plan.warnings, ...absentWarnings(view, members)];
  return dropEmptyStages({ ...plan, stages, reasons: [], warnings });
}

/** The authorities that sign and have expired. */
function expiredAuthorities({ pki, now }: View): readonly AuthorityView[] {
  const active = (['client', 'peer'] as const).flatMap((use) => activeAuthority(pki, use) ?? []);
  return [...new Set(active)].filter((each) => (tryParse(each.certificate)?.facts.notAfter ?? now) <= now);
}

function operatorDrafts(view: View, expired: readonly AuthorityView[]): readonly Draft[] {
  const renew = expired.map(({ id, certificate }): Draft => {
    const replaces = tryParse(certificate)?.facts.sha256 ?? '';
    return { kind: 'authority.renew', host: OPERATOR, authority: id, replaces, why: 'it has expired' };
  });
  const clients = expired.some((each) => each.purpose !== 'peer');
  const admin = clients ? ADMIN_AFTER_AUTHORITY : adminRenewal(view).draft;
  return [...renew, ...(admin === undefined ? [] : [admin])];
}

const ADMIN_AFTER_AUTHORITY: Draft = { kind: 'admin.issue', host: OPERATOR, why: 'it ended with its authority' };

/** @throws QuorateError refused where members can be mended one after the other, without stopping the cluster */
function requireDown(view: View, expired: readonly AuthorityView[]): void {
  const { controllers } = view.cluster;
  const healthy = controllers.filter(({ name }) => view.facts.endpoints[name]?.linearizable === true);
  if (expired.length > 0 || healthy.length < majority(controllers.length)) return;
  throw new QuorateError(
    'refused',
    `${healthy.length} of ${controllers.length} members serve, so the cluster has quorum: a rescue works on all members at once`,
    { hint: 'mend it one member at a time: quorate certs rotate --due -i FILE' },
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
    .map(
      ({ name }) =>
        `${facts.unreachable[name] ?? `${name}: was not observed`}: it is left as it is; run the same command again once it is back`,
    );
}

interface Rescue {
  readonly operator: readonly Draft[];
  readonly drafts: readonly GenerationDrafts[];
  readonly members: readonly string[];
  readonly restarts: readonly Draft[];
}

function stagesOf(view: View, { operator, drafts, members, restarts }: Rescue): readonly Stage[] {
  const of = (pick: keyof GenerationDrafts): readonly Draft[] => drafts.flatMap((each) => each[pick]);
  const folders = members.flatMap((host) => neededDrafts(view, [generationsDirectory(view, host)]));
  const proofs: readonly Draft[] = [
    { kind: 'cluster.await', host: OPERATOR, members, why: 'the rescue is done when etcd says so' },
    {
      kind: 'certificates.prove',
      host: OPERATOR,
      members,
      what: 'the members serve and trust what is on disk',
      why: 'only then old keys are removed',
    },
  ];
  return [
    stage('operator', 'with the operator', 'operator', operator),
    stage('prepare', 'prepare new generations beside those in use', 'parallel', [
      ...(of('prepare').length > 0 ? folders : []),
      ...of('prepare'),
    ]),
    stage('issue', 'issue certificates', 'operator', of('issue')),
    stage('put', 'put the certificates beside their keys', 'parallel', of('put')),
    stage('switch', 'switch over, all at once', 'parallel', of('switch')),
    stage('restart', 'start the members together', 'parallel', restarts),
    stage('prove', 'prove that the cluster is back', 'operator', proofs),
    stage('prune', 'remove what was replaced', 'parallel', of('prune')),
  ];
}

/** A member that does not come up changes its state all the time: the plan names it by what does not change. */
function restartDrafts(view: View, host: string): readonly Draft[] {
  const restart = restartOf(view, host);
  const down = view.facts.hosts[host]?.unit.activeState !== 'active';
  if (down) return [{ ...restart, why: 'it does not serve' }];
  return neededDrafts(view, [restart]);
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
