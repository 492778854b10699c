/** When leaves and revocation lists are due to be renewed. */
import type { PkiPolicy } from './cluster.ts';

/** Milliseconds before its end from which on a leaf is due. */
export function renewBeforeMs(
  life: { readonly notBefore: number; readonly notAfter: number },
  { renewBefore }: Pick<PkiPolicy, 'renewBefore'>,
): number {
  return 'ms' in renewBefore ? renewBefore.ms : renewBefore.share * (life.notAfter - life.notBefore);
}

/** Share of a revocation list's life that is left when it is signed anew. */
const LIST_RENEW_SHARE = 1 / 3;

/** Whether a revocation list is to be signed anew at `now` (epoch milliseconds). */
export function isListDue(
  { thisUpdate, nextUpdate }: { readonly thisUpdate: number; readonly nextUpdate: number },
  now: number,
): boolean {
  return nextUpdate - now < (nextUpdate - thisUpdate) * LIST_RENEW_SHARE;
}
