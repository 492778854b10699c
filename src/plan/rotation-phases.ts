/** The phases of rotating authorities, told from the store: what the store wants now, and each change of it that is still to come. Pure. */
import { QuorateError } from '../domain/errors.ts';
import type { AuthorityStatus, AuthorityView, PkiView } from '../domain/pki-view.ts';
import { compareText } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';

/** The stages of a rotation that `--until` names, in their order. */
export const rotationStages = ['trust-both', 'leaves', 'trust-new', 'drop-cross'] as const;
export type RotationStage = (typeof rotationStages)[number];
const stageNames: readonly string[] = rotationStages;

/** What an authority is for; also what `--authority` names. */
export type Purpose = AuthorityView['purpose'];

export interface RotationWish {
  readonly purposes: readonly Purpose[];
  /** The last stage to go to. */
  readonly until: RotationStage;
  /** Leaves out trust-both: the cross certificate alone carries those who trust only the old authority. */
  readonly crossSign: boolean;
}

/** One change of what the store wants, which every member follows before the next begins. */
export interface Phase {
  /** Names its stages: `trust-both`. */
  readonly id: string;
  readonly title: string;
  /** The change itself, made by the operator; empty where the store wants it already. */
  readonly drafts: readonly Draft[];
  /** The store after it. */
  readonly pki: PkiView;
  /** Whether members must be restarted: etcd reads trust bundles when it starts. */
  readonly restart: boolean;
}

const titles: Readonly<Record<RotationStage, string>> = {
  'trust-both': 'trust the old authority and the new one',
  leaves: 'serve certificates of the new authority',
  'trust-new': 'trust the new authority alone',
  'drop-cross': 'serve certificates without the cross certificate',
};

/** How far the store is with an authority's rotation; `back`: an abandoned one whose successor is still trusted. */
export type Progress = 'settled' | 'back' | Exclude<RotationStage, 'drop-cross'>;

/** How far the rotation of `purpose` is, by the store. */
export function progressOf({ authorities }: PkiView, purpose: Purpose): Progress {
  const own = authorities.filter((each) => each.purpose === purpose);
  const active = own.find((each) => each.status === 'active');
  const outgoing = own.find((each) => each.status === 'outgoing');
  if (own.some((each) => each.status === 'incoming')) return 'trust-both';
  if (outgoing !== undefined) return numberOf(outgoing) > numberOf(active) ? 'back' : 'leaves';
  return active === undefined || !servedVouched(active) ? 'settled' : 'trust-new';
}

/** Whether what is served behind its leaves ends with a rotation: an intermediate from elsewhere always stands behind its own. */
function servedVouched({ certificate, cross }: AuthorityView): boolean {
  return cross !== undefined && (certificate === '' || cross.trim() !== certificate.trim());
}

/** Whether its predecessor has signed it. */
export function vouchedByPredecessor({ certificate, crossMade }: AuthorityView): boolean {
  return crossMade !== undefined && crossMade.trim() !== certificate.trim();
}

/** The purposes whose rotation has begun and not ended. */
export function openPurposes(pki: PkiView): readonly Purpose[] {
  const purposes = [...new Set(pki.authorities.map((each) => each.purpose))];
  return purposes.filter((each) => progressOf(pki, each) !== 'settled').sort(compareText);
}

/** What the store wants already: nothing is changed in it, and members that do not follow yet are brought to it. */
export function presentPhase(pki: PkiView, purposes: readonly Purpose[]): Phase {
  const progress = furthestBehind(pki, purposes);
  const [id, title] =
    progress === 'settled'
      ? ['settle', 'bring all members to what is wanted already']
      : progress === 'back'
        ? ['leaves-old', 'serve certificates of the old authority again']
        : [progress, titles[progress]];
  return { id, title, drafts: [], pki, restart: id !== 'leaves' && id !== 'leaves-old' };
}

/** The changes that are still to come, up to the wished stage. */
export function comingPhases(pki: PkiView, wish: RotationWish): readonly Phase[] {
  const { purposes, until } = wish;
  const progress = furthestBehind(pki, purposes);
  const lacking = beginning(progress) ? purposes.filter((each) => progressOf(pki, each) === 'settled') : [];
  const begun = lacking.length > 0 ? -1 : stageNames.indexOf(progress);
  const stages = rotationStages.slice(begun + 1, rotationStages.indexOf(until) + 1);
  const phases: Phase[] = [];
  let before = withSuccessors(pki, lacking);
  for (const stage of stages) {
    if (stage === 'trust-both' && wish.crossSign) continue;
    const phase = phaseOf(stage, before, purposes);
    const first = phases.length === 0 ? successionDrafts(before, lacking) : [];
    phases.push({ ...phase, drafts: [...first, ...phase.drafts] });
    before = phase.pki;
  }
  return phases;
}

/** Gives the successors up: leaves of the old authorities, then their bundle alone. @throws QuorateError refused once there is no way back. */
export function backPhases(pki: PkiView, purposes: readonly Purpose[]): readonly Phase[] {
  const late = purposes.filter((each) => progressOf(pki, each) === 'trust-new');
  if (late.length > 0) {
    throw new QuorateError(
      'refused',
      `there is no way back for ${late.join(', ')}: members no longer trust the old authority, and its certificates would cut them off`,
      { hint: 'go on: quorate certs rotate-ca --until drop-cross, or rotate to another new authority after it' },
    );
  }
  const successors = purposes.flatMap((each) => successorOf(pki, each) ?? []);
  const signing = successors.filter((each) => each.status === 'active');
  const abandoned = replaceAll(pki, successors, purposes);
  const abandon = operator('authority.abandon', successors, 'the rotation is given up');
  const retired = withStatus(abandoned, successors, 'retired');
  const back: Phase = {
    ...{ id: 'leaves-old', title: 'serve certificates of the old authority again', pki: abandoned, restart: false },
    drafts: [abandon, admin('the old authority signs again')],
  };
  const settled = successors.every((each) => each.status === 'outgoing');
  const end: Phase = {
    ...{ id: 'trust-old', title: 'trust the old authority alone', pki: retired, restart: true },
    drafts:
      signing.length > 0 || settled
        ? [operator('authority.retire', successors, 'nothing uses it any more')]
        : [abandon],
  };
  return signing.length > 0 ? [back, end] : [end];
}

/** New dates for the same keys and subjects. */
export function renewalPhase(
  pki: PkiView,
  purposes: readonly Purpose[],
  hashes: Readonly<Record<string, string>>,
): Phase {
  const renewed = purposes.flatMap((each) => activeOf(pki, each) ?? []);
  const renewals = renewed.map(({ id }) => ({ id, replaces: hashes[id] ?? '' }));
  const why = 'new dates for the same key and subject: certificates stay as they are';
  const drafts: readonly Draft[] =
    renewals.length === 0 ? [] : [{ kind: 'authority.renew', host: OPERATOR, renewals, why }];
  // The renewed certificate is not there before it is made: every bundle differs from it.
  const authorities = pki.authorities.map((each) => (renewed.includes(each) ? { ...each, certificate: '' } : each));
  return {
    id: 'trust-renewed',
    title: 'trust the renewed authority',
    drafts,
    pki: { ...pki, authorities },
    restart: true,
  };
}

function phaseOf(stage: RotationStage, pki: PkiView, purposes: readonly Purpose[]): Phase {
  const frame = { id: stage, title: titles[stage] };
  switch (stage) {
    case 'trust-both':
      return { ...frame, drafts: [], pki, restart: true };
    case 'leaves': {
      const incoming = purposes.flatMap((each) => withPurpose(pki, each, 'incoming'));
      const drafts = [
        operator('authority.activate', incoming, 'every member trusts it'),
        admin('the new authority signs'),
      ];
      return { ...frame, drafts, pki: activated(pki, incoming), restart: false };
    }
    case 'trust-new': {
      const outgoing = purposes.flatMap((each) => withPurpose(pki, each, 'outgoing'));
      const drafts = [operator('authority.retire', outgoing, 'no member uses a certificate of it any more')];
      return { ...frame, drafts, pki: withStatus(pki, outgoing, 'retired'), restart: true };
    }
    case 'drop-cross': {
      const crossed = purposes.flatMap((each) => withPurpose(pki, each, 'active')).filter(servedVouched);
      const uncross = operator(
        'authority.uncross',
        crossed,
        'whoever trusts only the old authority is no longer served',
      );
      const drafts = crossed.length === 0 ? [] : [uncross, admin('without the cross certificate')];
      return { ...frame, drafts, pki: withCross(pki, crossed, undefined), restart: false };
    }
  }
}

function beginning(progress: Progress): boolean {
  return progress === 'settled' || progress === 'trust-both';
}

function furthestBehind(pki: PkiView, purposes: readonly Purpose[]): Progress {
  const found = purposes.map((each) => progressOf(pki, each));
  const order: readonly Progress[] = ['back', 'trust-both', 'leaves', 'trust-new', 'settled'];
  // One that is settled beside one that has just begun is the other half of the same beginning.
  return order.find((each) => found.includes(each)) ?? 'settled';
}

function successionDrafts(pki: PkiView, purposes: readonly Purpose[]): readonly Draft[] {
  const incoming = purposes.flatMap((each) => withPurpose(pki, each, 'incoming'));
  return incoming.length === 0 ? [] : [operator('authority.succeed', incoming, 'the authority is to be replaced')];
}

/** The successors that do not exist yet: nothing on a host can match them. */
function withSuccessors(pki: PkiView, purposes: readonly Purpose[]): PkiView {
  const made = purposes.map((purpose): AuthorityView => {
    const numbers = pki.authorities.filter((each) => each.purpose === purpose).map(numberOf);
    const id = `${purpose}-${Math.max(0, ...numbers) + 1}`;
    return { id, purpose, status: 'incoming', certificate: '', cross: undefined, crossMade: '' };
  });
  return { ...pki, authorities: [...pki.authorities, ...made] };
}

function activated(pki: PkiView, incoming: readonly AuthorityView[]): PkiView {
  const purposes = incoming.map((each) => each.purpose);
  const before = pki.authorities.filter((each) => purposes.includes(each.purpose) && each.status === 'active');
  const signing = withStatus(withStatus(pki, before, 'outgoing'), incoming, 'active');
  return incoming.reduce((view, { id, crossMade }) => {
    const own = view.authorities.filter((each) => each.id === id);
    return withCross(view, own, crossMade);
  }, signing);
}

/** Predecessors sign again; successors that have signed are still trusted, the others are not. */
function replaceAll(pki: PkiView, successors: readonly AuthorityView[], purposes: readonly Purpose[]): PkiView {
  const signing = successors.filter((each) => each.status === 'active');
  const before = pki.authorities.filter(
    (each) => purposes.includes(each.purpose) && each.status === 'outgoing' && !successors.includes(each),
  );
  const fresh = successors.filter((each) => each.status === 'incoming');
  const back = withStatus(withStatus(withStatus(pki, before, 'active'), signing, 'outgoing'), fresh, 'retired');
  return withCross(
    back,
    back.authorities.filter((each) => signing.some(({ id }) => id === each.id)),
    undefined,
  );
}

function successorOf(pki: PkiView, purpose: Purpose): AuthorityView | undefined {
  const progress = progressOf(pki, purpose);
  if (progress === 'settled') return undefined;
  const own = pki.authorities.filter((each) => each.purpose === purpose && each.status !== 'retired');
  return own.toSorted((a, b) => numberOf(b) - numberOf(a))[0];
}

function activeOf(pki: PkiView, purpose: Purpose): AuthorityView | undefined {
  return withPurpose(pki, purpose, 'active')[0];
}

function withPurpose(pki: PkiView, purpose: Purpose, status: AuthorityStatus): readonly AuthorityView[] {
  return pki.authorities.filter((each) => each.purpose === purpose && each.status === status);
}

function withStatus(pki: PkiView, authorities: readonly AuthorityView[], status: AuthorityStatus): PkiView {
  const ids = authorities.map((each) => each.id);
  return { ...pki, authorities: pki.authorities.map((each) => (ids.includes(each.id) ? { ...each, status } : each)) };
}

function withCross(pki: PkiView, authorities: readonly AuthorityView[], cross: string | undefined): PkiView {
  const ids = authorities.map((each) => each.id);
  return { ...pki, authorities: pki.authorities.map((each) => (ids.includes(each.id) ? { ...each, cross } : each)) };
}

function operator(
  kind: 'authority.succeed' | 'authority.activate' | 'authority.retire' | 'authority.uncross' | 'authority.abandon',
  authorities: readonly AuthorityView[],
  why: string,
): Draft {
  return { kind, host: OPERATOR, ids: authorities.map((each) => each.id).sort(compareText), why };
}

function admin(why: string): Draft {
  return { kind: 'admin.issue', host: OPERATOR, why };
}

/** `client-12` → 12 */
function numberOf(authority: Pick<AuthorityView, 'id'> | undefined): number {
  return Number(/\d+$/.exec(authority?.id ?? '')?.[0] ?? 0);
}
