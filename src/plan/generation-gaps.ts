/** What a generation's folder still lacks: asked when planning, before a step and after it. Pure. */
import type { HostFacts } from '../domain/facts.ts';
import { requestsBeside } from '../domain/generation.ts';
import type { Draft, LeafWish } from '../domain/step.ts';
import { chainFile, tryParseChain } from '../pki/chain.ts';
import { keyProblem, leafLife, leafProblem, type MemberView } from './certificates.ts';
import { isOutside } from './outside.ts';

/** Where a generation is made, and where what is kept comes from ('' for nowhere). */
export type GenerationPlace = Pick<Draft<'generation.prepare'>, 'directory' | 'from' | 'algorithm' | 'user'>;

/**
 * Why a key in the folder has to go or to be taken over; undefined where it is as wanted, or still to be made. A key that is to be made must be another
 * one than that in use.
 */
export function keyGap(
  host: HostFacts,
  place: GenerationPlace,
  { purpose, key }: Pick<LeafWish, 'purpose' | 'key'>,
): string | undefined {
  const { directory, algorithm, user } = place;
  const from = key === 'requested' ? requestsBeside(directory) : place.from;
  const own = host.texts[`${directory}/${purpose}.pub`];
  const used = from === '' ? undefined : host.texts[`${from}/${purpose}.pub`];
  const there = host.files[`${directory}/${purpose}.key`]?.kind === 'file';
  if (key !== 'make') return there && own !== undefined && own === (used ?? own) ? undefined : 'is not taken over yet';
  if (!there && own === undefined) return undefined;
  if (own !== undefined && own === used) return 'that is there is the one in use';
  const problem = keyProblem(host, directory, { purpose, algorithm, user });
  return problem === undefined ? undefined : `that is there cannot be used (${problem})`;
}

/** Why a certificate in the folder is not the one that is wanted; undefined where it is. One that is due is not. */
export function leafGap(
  member: MemberView,
  { directory, from }: Pick<GenerationPlace, 'directory' | 'from'>,
  leaf: LeafWish,
): string | undefined {
  const { certificates } = member.host;
  const used = certificates[`${from}/${leaf.purpose}.crt`];
  if (leaf.key === 'carry' && used !== undefined) {
    const authority = member.view.pki.authorities.find((each) => each.id === leaf.authority);
    const wanted = chainFile(used, leaf.cross ? authority?.cross : undefined);
    return certificates[`${directory}/${leaf.purpose}.crt`] === wanted ? undefined : 'it is not taken over yet';
  }
  const problem = leafProblem(member, directory, leaf);
  if (problem !== undefined || leaf.key === 'carry') return problem;
  if (isOutside(member.view, leaf.purpose)) return signedGap(member, directory, leaf);
  const life = leafLife(member, directory, leaf);
  return life?.due === true ? life.text : undefined;
}

/** Of several certificates for one key it must be the one that was taken in last. Nobody here could renew one that is due. */
function signedGap({ view, host }: MemberView, directory: string, leaf: LeafWish): string | undefined {
  const found = host.certificates[`${directory}/${leaf.purpose}.crt`] ?? '';
  const authority = view.pki.authorities.find((each) => each.id === leaf.authority);
  const key = tryParseChain(found)?.leaf.facts.spkiSha256 ?? '';
  const signed = view.pki.external?.[key];
  if (signed === undefined) return undefined;
  const wanted = chainFile(signed, leaf.cross ? authority?.cross : undefined);
  return found === wanted ? undefined : 'the one that was signed elsewhere is not there yet';
}

/** What `generation.prepare` has still to do, purpose by purpose. */
export function prepareGaps(
  host: HostFacts,
  step: Draft<'generation.prepare'>,
): readonly { readonly leaf: LeafWish; readonly reason: string }[] {
  return step.leaves.flatMap((leaf) => {
    const reason = keyGap(host, step, leaf);
    return reason === undefined ? [] : [{ leaf, reason }];
  });
}
