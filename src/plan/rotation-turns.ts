/** What one member has to do in a phase of a rotation: told from its facts while it is behind, and foreseen where an earlier phase comes first. Pure. */
import { currentGeneration, trustWish } from '../domain/generation.ts';
import { pkiGeneration, pkiLink } from '../domain/layout.ts';
import { activeAuthority, clientTrust, type PkiView, peerTrust } from '../domain/pki-view.ts';
import { type Draft, type LeafPurpose, leafPurposes, OPERATOR } from '../domain/step.ts';
import { type GenerationDrafts, generationDrafts, mendingTurn } from './generation.ts';
import { wishOf } from './generation-wish.ts';
import { neededDrafts } from './host-steps.ts';
import { isOutside, waitingLeaf } from './outside.ts';
import type { Phase } from './rotation-phases.ts';
import type { View } from './view.ts';

/** A member's way through the phases: as its facts tell (`moved` undefined), or after what earlier phases will have made. */
export interface Way {
  readonly host: string;
  readonly moved: { readonly number: number; readonly pki: PkiView } | undefined;
}

/** A member's steps of one phase, and where it stands after it. */
export interface PhaseTurn {
  readonly drafts: Omit<GenerationDrafts, 'prune'>;
  readonly after: Way;
}

const none = { prepare: [], issue: [], put: [], switch: [] } as const;

/** The steps of `phase` for one member. */
export function phaseTurn(view: View, way: Way, phase: Phase): PhaseTurn {
  return way.moved === undefined ? seenTurn(view, way, phase) : foreseenTurn(view, { ...way, moved: way.moved }, phase);
}

/** Told from the member's facts: only what is not as the phase wants it. */
function seenTurn(view: View, way: Way, phase: Phase): PhaseTurn {
  const { host } = way;
  const then = { ...view, pki: phase.pki };
  const restart = phase.restart ? neededDrafts(then, [restartOf(then, host)]) : [];
  const turn = mendingTurn(then, host);
  if (turn === undefined) {
    const moved = restart.length === 0 ? undefined : standing(view, host, phase.pki);
    return { drafts: { ...none, switch: restart }, after: { host, moved } };
  }
  const drafts = generationDrafts(then, turn);
  const restarted = phase.restart ? [{ ...restartOf(then, host), why: phase.title }] : [];
  return {
    drafts: { ...drafts, switch: [...drafts.switch, ...restarted] },
    after: { host, moved: { number: turn.number, pki: phase.pki } },
  };
}

/** Foreseen: a generation after the one that the phase before will have made, with new keys where another authority signs. */
function foreseenTurn(view: View, way: Way & { readonly moved: NonNullable<Way['moved']> }, phase: Phase): PhaseTurn {
  const { host, moved } = way;
  const { cluster } = view;
  const then = { ...view, pki: phase.pki };
  const number = moved.number + 1;
  const after = { host, moved: { number, pki: phase.pki } };
  if (!changes(moved.pki, phase.pki)) return { drafts: none, after: way };
  const wish = wishOf(then, (purpose) => {
    if (!signedAnew(moved.pki, phase.pki, purpose)) return 'carry';
    return isOutside(then, purpose) ? (waitingLeaf(then, host, purpose)?.key ?? 'carry') : 'make';
  });
  const why = phase.title;
  const place = { host, directory: pkiGeneration(cluster, number), from: pkiGeneration(cluster, moved.number), why };
  const issued = wish.leaves.filter((each) => each.key !== 'carry');
  const made = wish.leaves.filter((each) => each.key === 'make').map((each) => each.purpose);
  const { user } = cluster;
  const { algorithm } = cluster.pki;
  const keys: Draft = { kind: 'key.make', ...place, purposes: made, algorithm, user };
  const { directory } = place;
  return {
    drafts: {
      prepare: [
        { kind: 'generation.prepare', ...place, leaves: wish.leaves, algorithm, user },
        ...(made.length > 0 ? [keys] : []),
      ],
      issue:
        issued.length > 0 ? [{ kind: 'cert.issue', host: OPERATOR, member: host, directory, leaves: issued, why }] : [],
      put: [{ kind: 'pki.put', ...place, ...wish }],
      switch: [
        { kind: 'pki.switch', host, link: pkiLink(cluster), target: `pki.d/${number}`, why },
        ...(phase.restart ? [{ ...restartOf(then, host), why }] : []),
      ],
    },
    after,
  };
}

/** Started with the bundles that the store wants. */
function restartOf({ cluster, pki }: View, host: string) {
  const { unit } = cluster;
  return { kind: 'unit.restart', host, unit, wish: {}, trust: trustWish(pki), ends: '', outage: false } as const;
}

/** A member that stands where its link points, whatever its facts lack. */
export function foreseenWay(view: View, way: Way): Way {
  return { host: way.host, moved: way.moved ?? standing(view, way.host, view.pki) };
}

function standing({ cluster, facts }: View, host: string, pki: PkiView): NonNullable<Way['moved']> {
  return { number: currentGeneration(cluster, facts.hosts[host]), pki };
}

function changes(before: PkiView, after: PkiView): boolean {
  const bundles = (pki: PkiView): readonly string[] => [clientTrust(pki), peerTrust(pki)];
  const shape = (pki: PkiView): string =>
    JSON.stringify([trustWish(pki), bundles(pki), leafPurposes.map((each) => signerOf(pki, each))]);
  return shape(before) !== shape(after);
}

function signedAnew(before: PkiView, after: PkiView, purpose: LeafPurpose): boolean {
  return signerOf(before, purpose).id !== signerOf(after, purpose).id;
}

function signerOf(pki: PkiView, purpose: LeafPurpose): { readonly id: string; readonly crossed: boolean } {
  const authority = activeAuthority(pki, purpose === 'peer' ? 'peer' : 'client');
  return { id: authority?.id ?? '', crossed: authority?.cross !== undefined };
}
