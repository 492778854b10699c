/** The operator's steps that change authorities in the store, each behind its guard. */
import { guardAuthorities } from '../apply/guard-authorities.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Step } from '../domain/step.ts';
import type { PkiContext } from '../pki/context.ts';
import { renewAuthorities } from '../pki/renew-authority.ts';
import {
  abandonSuccessors,
  activateAuthorities,
  dropCrossCertificates,
  makeSuccessor,
  replaceExpired,
  retireAuthorities,
} from '../pki/succession.ts';
import type { View } from '../plan/view.ts';

/** Steps that {@link changeAuthorities} performs. */
export type AuthorityStep = Step<
  | 'authority.succeed'
  | 'authority.activate'
  | 'authority.retire'
  | 'authority.uncross'
  | 'authority.abandon'
  | 'authority.replace'
  | 'authority.renew'
>;

/**
 * Performs one of them.
 * @throws QuorateError refused by the guard, or where the store is not as it was planned for
 */
export async function changeAuthorities(step: AuthorityStep, view: View, context: PkiContext): Promise<void> {
  guardAuthorities(step, view);
  switch (step.kind) {
    case 'authority.succeed':
      for (const id of step.ids) await succeed(id, step.why, context);
      return;
    case 'authority.activate':
      return activateAuthorities(context, step.ids);
    case 'authority.retire':
      return retireAuthorities(context, step.ids);
    case 'authority.uncross':
      return dropCrossCertificates(context, step.ids);
    case 'authority.abandon':
      return abandonSuccessors(context, step.ids);
    case 'authority.replace':
      return replaceExpired(context, step.ids);
    case 'authority.renew':
      await renewAuthorities(context, step.renewals, step.why);
      return;
  }
}

/** `client-2` → the next authority of that purpose. Another number was taken where an older attempt under another policy left files. */
async function succeed(id: string, why: string, context: PkiContext): Promise<void> {
  const [, purpose = ''] = /^(client|peer|both)-\d+$/.exec(id) ?? [];
  if (purpose !== 'client' && purpose !== 'peer' && purpose !== 'both') throw new Error(`${id} names no authority`);
  const made = await makeSuccessor(context, { purpose, why, cross: true });
  if (made.id === id) return;
  throw new QuorateError('stale-plan', `the next ${purpose} authority became ${made.id}, and the plan names ${id}`, {
    hint: `run the same command again: it goes on with ${made.id}`,
  });
}
