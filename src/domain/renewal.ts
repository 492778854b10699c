/** When a leaf is due to be renewed. */
import type { PkiPolicy } from './cluster.ts';

/** Milliseconds before its end from which on a leaf is due. */
export function renewBeforeMs(
  life: { readonly notBefore: number; readonly notAfter: number },
  { renewBefore }: Pick<PkiPolicy, 'renewBefore'>,
): number {
  return 'ms' in renewBefore ? renewBefore.ms : renewBefore.share * (life.notAfter - life.notBefore);
}
