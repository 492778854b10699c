/** Whether the operator's own certificate is to be issued anew. Pure. */
import { activeAuthority, bundleOf, trustedAuthorities } from '../domain/pki-view.ts';
import type { Reason } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { tryParseChain } from '../pki/chain.ts';
import { certificateDrift } from '../pki/drift.ts';
import { tryParse } from '../pki/inspect.ts';
import { adminProfile } from '../pki/profile.ts';
import { judgeDue } from './due.ts';
import { isOutside, waitingAdmin } from './outside.ts';
import type { View } from './view.ts';

/** The step that issues it where it is due or not as wanted; or else the reason why not. */
export function adminRenewal(view: View): {
  readonly draft?: Draft;
  /** Why it is not as wanted, where only an authority elsewhere can sign another. */
  readonly blocked?: string;
  /** That it is due, where only an authority elsewhere can sign another. */
  readonly waits?: string;
  readonly reasons: readonly Reason[];
} {
  const { pki, cluster, now } = view;
  const authority = activeAuthority(pki, 'client');
  const chain = tryParseChain(pki.admin ?? '');
  const issuer = authority && tryParse(authority.certificate);
  if (authority === undefined || issuer === undefined) return { reasons: [] };
  const trusted = bundleOf(trustedAuthorities(pki, 'client'));
  const wanted = {
    profile: adminProfile(cluster.pki),
    authority: authority.certificate,
    cross: authority.cross,
    trusted,
  };
  const [drift] = certificateDrift(pki.admin, wanted, now);
  if (isOutside(view, 'client')) return signedElsewhere(view, drift);
  if (drift !== undefined || chain === undefined) {
    return { draft: { kind: 'admin.issue', host: OPERATOR, why: drift ?? 'it cannot be read' }, reasons: [] };
  }
  const { notBefore, notAfter } = issuer.facts;
  const life = judgeDue(chain.leaf.facts, {
    authority: { id: authority.id, notBefore, notAfter },
    policy: cluster.pki,
    now,
  });
  if (life.due) return { draft: { kind: 'admin.issue', host: OPERATOR, renew: true, why: life.text }, reasons: [] };
  return { reasons: [{ host: OPERATOR, reason: `admin: ${life.text}` }] };
}

function signedElsewhere(view: View, drift: string | undefined): ReturnType<typeof adminRenewal> {
  if (waitingAdmin(view, adminProfile(view.cluster.pki)) !== undefined) {
    return { draft: { kind: 'admin.issue', host: OPERATOR, renew: true, why: 'it was signed elsewhere' }, reasons: [] };
  }
  const facts = tryParseChain(view.pki.admin ?? '')?.leaf.facts;
  const life = facts && judgeDue(facts, { authority: undefined, policy: view.cluster.pki, now: view.now });
  const reasons = life === undefined ? [] : [{ host: OPERATOR, reason: `admin: ${life.text}` }];
  if (drift !== undefined) return { reasons, blocked: drift };
  return life?.due === true ? { reasons, waits: life.text } : { reasons };
}
