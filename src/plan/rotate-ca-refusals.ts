/** Why a rotation of authorities cannot be begun, gone on with, or taken back: told before anything is changed. Pure. */
import { QuorateError } from '../domain/errors.ts';
import type { PkiView } from '../domain/pki-view.ts';
import { OUTSIDE_HINT } from './outside.ts';
import { openPurposes, type Purpose, progressOf, type RotationWish, vouchedByPredecessor } from './rotation-phases.ts';
import type { View } from './view.ts';

/** What of a wish can be refused. */
export interface AskedRotation extends RotationWish {
  readonly direction: 'forward' | 'back' | 'renew';
  /** Whether every certificate of a successor that signs elsewhere has been taken in. */
  readonly signed?: boolean;
}

/** @throws QuorateError refused where another rotation is open than the one that is asked for */
export function requireWhole(pki: PkiView, { purposes, direction, crossSign }: AskedRotation): void {
  const open = openPurposes(pki);
  const others = open.filter((each) => !purposes.includes(each));
  const back = open.filter((each) => progressOf(pki, each) === 'back');
  if (others.length > 0) {
    throw refused(
      `the rotation of the ${others.join(' and ')} authority is not at its end`,
      'go on with all of them: quorate certs rotate-ca',
    );
  }
  if (direction !== 'back' && back.length > 0) {
    throw refused('a rotation is being taken back', 'finish that first: quorate certs rotate-ca --abort');
  }
  if (direction === 'back' && open.length === 0) {
    throw refused(
      'no rotation of an authority is open: there is nothing to take back',
      'look with quorate certs ca show',
    );
  }
  const alone = pki.authorities.find((each) => each.status === 'incoming' && !vouchedByPredecessor(each));
  if (crossSign && alone !== undefined) {
    throw refused(
      `--cross-sign: ${alone.id} was not signed by its predecessor, so members that do not trust it yet would refuse its certificates`,
      'leave --cross-sign out',
    );
  }
  if (direction === 'renew' && open.length > 0) {
    throw refused(
      'a rotation of an authority is open',
      'finish it first: quorate certs rotate-ca --until drop-cross, or --abort',
    );
  }
}

/** @throws QuorateError refused where the successor could sign nothing: leaves would be left without an authority half way. */
export function requireKeys(view: View, wish: AskedRotation): void {
  const { authorities } = view.pki;
  const { purposes, direction, until } = wish;
  if (wish.signed === true) return;
  requireOwnAuthorities(view, wish);
  if (direction !== 'forward' || until === 'trust-both') return;
  const keyless = authorities.filter((each) => each.status === 'incoming' && each.hasKey === false);
  const [first] = keyless.filter((each) => purposes.includes(each.purpose));
  if (first === undefined) return;
  throw refused(
    `${first.id} signs elsewhere: members can only get certificates of it that were signed there`,
    `${OUTSIDE_HINT}; --until trust-both lets members trust it, --abort gives it up`,
  );
}

/** An open rotation is ended here whoever signs; none is begun for an authority whose key is elsewhere. @throws QuorateError refused */
function requireOwnAuthorities({ pki, cluster }: View, { purposes, direction }: AskedRotation): void {
  const beginning = purposes.filter((each) => direction === 'renew' || progressOf(pki, each) === 'settled');
  const keyless = (purpose: Purpose): boolean =>
    pki.authorities.some(
      (each) => each.purpose === purpose && each.status === 'active' && each.signsElsewhere === true,
    );
  const outside = beginning.filter((each) => cluster.pki.external.includes(each) || keyless(each));
  requireWayBack(pki, purposes, direction);
  if (direction === 'back' || outside.length === 0) return;
  const own = purposes.filter((each) => !outside.includes(each));
  const unnamed = outside.filter((each) => !cluster.pki.external.includes(each));
  if (unnamed.length > 0) throw comingBack(unnamed);
  const others = own.length === 0 ? '' : `; the other one: --authority ${own.join(', ')}`;
  throw refused(
    `the ${outside.join(' and ')} authority signs elsewhere (pki.external): its successor comes from there`,
    `have it make one, and every certificate signed by it: ${OUTSIDE_HINT}; members then trust both, serve the new certificates, and quorate certs rotate-ca --until trust-new ends it${others}`,
  );
}

/** Nothing here can vouch for the successor of an authority whose key is elsewhere: it is taken in first, and trusted beside the old one. */
function comingBack(purposes: readonly Purpose[]): QuorateError {
  const named = purposes.join(', ');
  return refused(
    `the ${named} authority in force signs elsewhere, and pki.external of the inventory names it no more: quorate makes no successor of it by itself`,
    `to stay with it: pki: { external: [${named}] }; to have quorate sign: quorate certs ca import --cert ca.crt --key ca.key --purpose ${purposes[0]}, which members trust beside it from then on, then quorate certs rotate-ca`,
  );
}

/** @throws QuorateError refused where certificates of an authority elsewhere would have to be signed again */
function requireWayBack(pki: PkiView, purposes: readonly Purpose[], direction: AskedRotation['direction']): void {
  const outgoing = pki.authorities.find(
    (each) => purposes.includes(each.purpose) && each.status === 'outgoing' && each.signsElsewhere === true,
  );
  if (direction !== 'back' || outgoing === undefined) return;
  throw refused(
    `${outgoing.id} signs elsewhere: going back takes certificates that it signs again`,
    `go on (--until trust-new), or install certificates of another authority later: ${OUTSIDE_HINT}`,
  );
}

function refused(message: string, hint: string): QuorateError {
  return new QuorateError('refused', message, { hint });
}
