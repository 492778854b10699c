/** One member's next generation of keys and certificates: what is wanted of it, and the steps that make it. Pure. */
import { currentGeneration, generationsFolder } from '../domain/generation.ts';
import { pkiGeneration, pkiLink, requestFolder } from '../domain/layout.ts';
import { type Draft, type LeafPurpose, type LeafWish, leafPurposes, OPERATOR } from '../domain/step.ts';
import { memberView, missingKeys } from './certificates.ts';
import { type GenerationPlace, keyGap, leafGap } from './generation-gaps.ts';
import { flawsOf, type GenerationWish, hasFlaws, keyUsable, livesOf, wishOf } from './generation-wish.ts';
import { requireListsRecorded } from './host-lists.ts';
import { type Candidate, neededDrafts } from './host-steps.ts';
import { isOutside, lackingOutside, requestsAreUsed, waitingLeaf } from './outside.ts';
import type { View } from './view.ts';

/** The generation that a member is to get. */
export interface GenerationTurn extends GenerationWish {
  readonly host: string;
  /** Its number; a folder of that number that an earlier run left is taken up. */
  readonly number: number;
  /** Why each certificate that is not carried over is issued. */
  readonly why: Readonly<Partial<Record<LeafPurpose, string>>>;
}

/** Steps of one turn, stage by stage, each only where it is needed. Up to `put` they touch nothing that a link points to. */
export interface GenerationDrafts {
  readonly prepare: readonly Draft[];
  readonly issue: readonly Draft[];
  readonly put: readonly Draft[];
  readonly switch: readonly Draft[];
  readonly prune: readonly Draft[];
}

/**
 * The turn that gives a member what the store wants: what is sound is carried over, what is not is made anew; `asked` purposes are made anew in any case,
 * each with its reason. `keys: 'keep'` keeps a private key that can be used.
 */
export function nextTurn(
  view: View,
  host: string,
  {
    asked,
    keys,
    number,
  }: { readonly asked: GenerationTurn['why']; readonly keys: 'make' | 'keep'; readonly number?: number },
): GenerationTurn {
  const flaws = flawsOf(
    view,
    host,
    wishOf(view, () => 'make'),
  );
  const waiting = waitingFor(view, host);
  const own = Object.entries({ ...asked, ...flaws.leaves }).filter(
    ([purpose]) => !leafPurposes.some((each) => each === purpose && isOutside(view, each)),
  );
  const signed = Object.keys(waiting).map((purpose) => [purpose, 'it was signed elsewhere']);
  const why: GenerationTurn['why'] = Object.fromEntries([...own, ...signed]);
  const wish = wishOf(view, (purpose) => {
    if (isOutside(view, purpose)) return waiting[purpose] ?? 'carry';
    if (why[purpose] === undefined) return 'carry';
    return keys === 'keep' && keyUsable(view, host, purpose) ? 'keep' : 'make';
  });
  const current = currentGeneration(view.cluster, view.facts.hosts[host]);
  return { ...wish, host, number: number ?? current + 1, why };
}

/** The turn that mends what is wrong with the generation in use, and takes up what was signed elsewhere; undefined where nothing can be. */
export function mendingTurn(view: View, host: string): GenerationTurn | undefined {
  return needsMending(view, host) ? nextTurn(view, host, { asked: {}, keys: 'make' }) : undefined;
}

/** What only an authority elsewhere can mend waits for that. */
function needsMending(view: View, host: string): boolean {
  if (lackingOutside(view, host).length > 0) return false;
  const wish = wishOf(view, () => 'make');
  const { leaves, trust } = flawsOf(view, host, wish);
  const own = Object.fromEntries(leafPurposes.map((each) => [each, isOutside(view, each) ? undefined : leaves[each]]));
  return hasFlaws({ leaves: own, trust }) || Object.keys(waitingFor(view, host)).length > 0;
}

function waitingFor(view: View, host: string): Readonly<Partial<Record<LeafPurpose, 'requested' | 'keep'>>> {
  return Object.fromEntries(
    leafPurposes.flatMap((purpose) => {
      const found = waitingLeaf(view, host, purpose);
      return found === undefined ? [] : [[purpose, found.key] as const];
    }),
  );
}

/** The turn that mends what is wrong and renews what is due of `purposes` (all of them by default); undefined where there is neither. */
export function renewingTurn(
  view: View,
  host: string,
  { purposes = leafPurposes, keys }: { readonly purposes?: readonly LeafPurpose[]; readonly keys: 'make' | 'keep' },
): GenerationTurn | undefined {
  const lives = livesOf(view, host);
  const due = purposes.flatMap((purpose) => {
    const life = lives[purpose];
    return life?.due === true && !isOutside(view, purpose) ? [[purpose, life.text] as const] : [];
  });
  if (lackingOutside(view, host).length > 0) return undefined;
  if (due.length === 0 && !needsMending(view, host)) return undefined;
  return nextTurn(view, host, { asked: Object.fromEntries(due), keys });
}

/** The steps that are still needed for a turn. Throws `refused` where a list of it would take back what hosts enforce. */
export function generationDrafts(view: View, turn: GenerationTurn): GenerationDrafts {
  requireListsRecorded(view);
  const { cluster, facts } = view;
  const { host, leaves, trust, crls } = turn;
  const directory = pkiGeneration(cluster, turn.number);
  const current = currentGeneration(cluster, facts.hosts[host]);
  const from = current === 0 ? '' : pkiGeneration(cluster, current);
  const { user } = cluster;
  const { algorithm } = cluster.pki;
  const purposes = leaves.filter((each) => each.key === 'make').map((each) => each.purpose);
  const prepare = { kind: 'generation.prepare', host, directory, from, leaves, algorithm, user } as const;
  const put = { kind: 'pki.put', host, directory, from, leaves, trust, crls } as const;
  const target = `pki.d/${turn.number}`;
  const link = pkiLink(cluster);
  const made: Candidate = { kind: 'key.make', host, directory, from, purposes, algorithm, user };
  const keys = neededDrafts(view, [prepare, made]);
  const issue = issueDrafts(view, turn, { directory, from, algorithm, user });
  // Where a key changes before, what lies beside it now says nothing of what will be lacking then.
  const late: readonly Draft[] =
    keys.length + issue.length === 0 ? [] : [{ ...put, why: 'its keys are completed first' }];
  const now = neededDrafts(view, [put]);
  return {
    prepare: keys,
    issue,
    put: now.length > 0 ? now : late,
    switch: neededDrafts(view, [{ kind: 'pki.switch', host, link, target }]),
    prune: pruneDrafts(
      view,
      { host, number: turn.number },
      leaves.filter((each) => each.key === 'requested').map((each) => each.purpose),
    ),
  };
}

/** Removes other generations than `number` once the link points to it, and keys of signing requests once all are in use; `taken`: those that will be. */
export function pruneDrafts(
  view: View,
  { host, number }: { readonly host: string; readonly number: number },
  taken: readonly LeafPurpose[] = [],
): readonly Draft[] {
  const { cluster, facts } = view;
  const folder = generationsFolder(cluster);
  const seen = facts.hosts[host];
  const used = seen !== undefined && requestsAreUsed(view, seen, taken);
  const requests = used ? { requests: requestFolder(cluster) } : {};
  return neededDrafts(view, [
    { kind: 'generation.prune', host, folder, link: pkiLink(cluster), target: `pki.d/${number}`, ...requests },
  ]);
}

/** The folder of all generations, as a candidate. */
export function generationsDirectory({ cluster }: View, host: string): Candidate {
  return {
    kind: 'directory.ensure',
    host,
    path: generationsFolder(cluster),
    mode: '0755',
    owner: 'root',
    group: 'root',
  };
}

/** Certificates for keys that are still to be made or taken over, and those that the folder lacks. */
function issueDrafts(view: View, turn: GenerationTurn, place: GenerationPlace): readonly Draft[] {
  const { host: member } = turn;
  const { directory } = place;
  const found = memberView(view, member);
  if (found === undefined) return [];
  const leaves = turn.leaves.filter((leaf) => {
    if (leaf.key === 'carry') return false;
    const keyComes =
      missingKeys(found.host, directory, [leaf.purpose]).length > 0 || keyGap(found.host, place, leaf) !== undefined;
    return keyComes || leafGap(found, place, leaf) !== undefined;
  });
  if (leaves.length === 0) return [];
  return [{ kind: 'cert.issue', host: OPERATOR, member, directory, leaves, why: reasons(turn, leaves) }];
}

/** `server, peer: SAN a.example is missing; client: expired 2026-01-01`; the reason alone where it is that of all. */
function reasons({ why }: GenerationTurn, leaves: readonly LeafWish[]): string {
  const texts = leaves.map((each) => why[each.purpose] ?? 'its key is another one');
  const [first = ''] = texts;
  if (texts.every((each) => each === first)) return first;
  const named = [...new Set(texts)].map((text) => {
    const purposes = leaves.filter((_each, index) => texts[index] === text).map((each) => each.purpose);
    return `${purposes.join(', ')}: ${text}`;
  });
  return named.join('; ');
}
