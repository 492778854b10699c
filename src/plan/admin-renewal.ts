/** Whether the operator's own certificate is to be issued anew. Pure. */
import { activeAuthority, bundleOf, trustedAuthorities } from '../domain/pki-view.ts';
import type { Reason } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { tryParseChain } from '../pki/chain.ts';
import { certificateDrift } from '../pki/drift.ts';
import { tryParse } from '../pki/inspect.ts';
import { adminProfile } from '../pki/profile.ts';
import { judgeDue } from './due.ts';
import type { View } from './view.ts';

/** The step that issues it where it is due or not as wanted; or else the reason why not. */
export function adminRenewal({ pki, cluster, now }: View): {
  readonly draft?: Draft;
  readonly reasons: readonly Reason[];
} {
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
