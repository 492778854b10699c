/** Revocation lists that are to be signed anew, and what follows from it: every member lacks a list that is not made yet. Pure. */
import { activeAuthority, type PkiView, type RevocationListView, type Use } from '../domain/pki-view.ts';
import { isListDue } from '../domain/renewal.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import type { Phase } from './rotation-phases.ts';

export interface ListRefresh {
  /** At most one step with the operator. */
  readonly drafts: readonly Draft[];
  /** The store after it. */
  readonly pki: PkiView;
}

/**
 * The lists that are near their end, lack a revocation, or are of an authority that signs no more. One whose authority signs elsewhere stays as it is: etcd
 * looks at neither dates nor signature of a list.
 */
export function listRefresh(pki: PkiView, now: number): ListRefresh {
  const due = (['client', 'peer'] as const).flatMap((use) => {
    const why = dueReason(pki, use, now);
    return why === undefined ? [] : [{ use, why }];
  });
  if (due.length === 0) return { drafts: [], pki };
  const uses = due.map((each) => each.use);
  const why = [...new Set(due.map((each) => each.why))].join('; ');
  const coming = Object.fromEntries(uses.map((use) => [use, comingList(pki, use, now)]));
  const crls = { ...pki.crls, ...coming };
  return { drafts: [{ kind: 'revocation.refresh', host: OPERATOR, uses, why }], pki: { ...pki, crls } };
}

/** The phases with lists signed anew in the first one that needs it. */
export function withListRefresh(phases: readonly Phase[], now: number): readonly Phase[] {
  let crls: PkiView['crls'];
  return phases.map((phase) => {
    const before = crls === undefined ? phase.pki : { ...phase.pki, crls };
    const { drafts, pki } = listRefresh(before, now);
    crls = pki.crls;
    return { ...phase, pki, drafts: [...phase.drafts, ...drafts] };
  });
}

function dueReason(pki: PkiView, use: Use, now: number): string | undefined {
  const list = pki.crls?.[use];
  const signer = activeAuthority(pki, use);
  if (list === undefined || signer === undefined || signer.hasKey === false) return undefined;
  if (list.authority !== signer.id) return `${use}: it is of ${list.authority}, and ${signer.id} signs`;
  if (list.lacksUntil > now) return `${use}: it lacks a revoked certificate`;
  if (!isListDue(list, now)) return undefined;
  return `${use}: it ends ${new Date(list.nextUpdate).toISOString().slice(0, 10)}`;
}

/** A list that is not there before it is made: nothing on a host can match it. */
function comingList(pki: PkiView, use: Use, now: number): RevocationListView {
  const authority = activeAuthority(pki, use)?.id ?? '';
  return { der: '', sha256: '', authority, thisUpdate: now, nextUpdate: Number.POSITIVE_INFINITY, lacksUntil: 0 };
}
