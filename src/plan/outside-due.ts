/** Certificates that only an authority elsewhere can renew or mend, in words: told wherever quorate would do it by itself. Pure. */
import { type LeafPurpose, leafPurposes, OPERATOR } from '../domain/step.ts';
import { adminRenewal } from './admin-renewal.ts';
import { flawsOf, livesOf, wishOf } from './generation-wish.ts';
import { isOutside, OUTSIDE_HINT, waitingLeaf } from './outside.ts';
import type { View } from './view.ts';

/** A sentence for each member, and for the operator, whose certificates of `purposes` are due or not as wanted, and how they are renewed; empty for none. */
export function outsideWarnings(
  view: View,
  members: readonly string[],
  purposes: readonly LeafPurpose[] = leafPurposes,
): readonly string[] {
  const own = purposes.includes('client') ? operatorTexts(view) : [];
  const texts = [...members.flatMap((name) => memberTexts(view, name, purposes)), ...own];
  return texts.length === 0 ? [] : [...texts, `signed elsewhere (pki.external): ${OUTSIDE_HINT}`];
}

function memberTexts(view: View, name: string, purposes: readonly LeafPurpose[]): readonly string[] {
  if (view.facts.hosts[name] === undefined) return [];
  const { leaves } = flawsOf(
    view,
    name,
    wishOf(view, () => 'carry'),
  );
  const lives = livesOf(view, name);
  return purposes.flatMap((purpose) => {
    if (!isOutside(view, purpose) || waitingLeaf(view, name, purpose) !== undefined) return [];
    const life = lives[purpose];
    const text = leaves[purpose] ?? (life?.due === true ? life.text : undefined);
    return text === undefined ? [] : [`${name}: its ${purpose} certificate: ${text}`];
  });
}

function operatorTexts(view: View): readonly string[] {
  const { blocked, waits } = adminRenewal(view);
  const text = blocked ?? waits;
  return text === undefined ? [] : [`${OPERATOR}: its certificate: ${text}`];
}
