/** Whether certificates are due, in words. Pure. */
import type { PkiPolicy } from '../domain/cluster.ts';
import { renewBeforeMs } from '../domain/renewal.ts';
import type { CertificateFacts } from '../pki/inspect.ts';

type Life = Pick<CertificateFacts, 'notBefore' | 'notAfter'>;

/** What dueness is judged by. */
export interface DueRule {
  /** Of the authority that would sign it anew; undefined while there is none. */
  readonly authority: (Life & { readonly id: string }) | undefined;
  readonly policy: Pick<PkiPolicy, 'renewBefore'>;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Whether it is due, and in words until when it is valid and from when on it is renewed. */
export function judgeDue(life: Life, rule: DueRule): { readonly due: boolean; readonly text: string } {
  const { authority, now } = rule;
  // A leaf is cut to its authority's end: a new one would end at the same moment.
  if (authority !== undefined && life.notAfter >= authority.notAfter) {
    return {
      due: false,
      text: `ends ${day(life.notAfter)} with its authority ${authority.id}, so a new one would too`,
    };
  }
  const from = life.notAfter - renewBeforeMs(life, rule.policy);
  return { due: now >= from, text: `ends ${day(life.notAfter)}, renewed from ${day(from)} on` };
}

function day(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
