/** Names that members' certificates are to carry, and that the authority which signs may not certify (name constraints). Pure. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { activeAuthority } from '../domain/pki-view.ts';
import type { Plan } from '../domain/plan.ts';
import { tryParse } from '../pki/inspect.ts';
import { violations } from '../pki/name-constraints.ts';
import { rosterOf } from './roster.ts';
import type { View } from './view.ts';

/** Whether the inventory has names that the authorities, as they are, may not certify: they have to be renewed before such a name is issued. */
export function hasForbiddenNames(view: View): boolean {
  return view.cluster.controllers.some(
    ({ name }) => forbiddenNames(view, name, 'client').length > 0 || forbiddenNames(view, name, 'peer').length > 0,
  );
}

/**
 * Before anything is changed: issuing would be refused in the middle of the plan.
 * @throws QuorateError refused, with every member whose names are not permitted
 */
export function requirePermittedNames(view: View, plan: Plan): void {
  const moved = rosterOf(view).moved.map(({ name }) => name);
  const ids = new Set(view.pki.authorities.map((each) => each.id));
  const failures = plan.stages
    .flatMap((stage) => stage.steps)
    .flatMap((step) => (step.kind === 'cert.issue' ? [step] : []))
    .flatMap(({ member, leaves }) => {
      // Of an authority that the plan makes first, the names are those of the inventory.
      const signed = leaves.filter((each) => each.purpose !== 'client' && ids.has(each.authority));
      return signed.flatMap(({ purpose, authority }) => {
        const names = forbiddenNames(view, member, purpose === 'peer' ? 'peer' : 'client');
        return names.length === 0 ? [] : [refusal(member, authority, { names, moves: moved.includes(member) })];
      });
    });
  const [first] = failures;
  if (first === undefined) return;
  throw failures.length === 1 ? first : combineErrors(`${failures.length} certificates can't be issued`, failures);
}

function forbiddenNames({ cluster, pki }: View, member: string, use: 'client' | 'peer'): readonly string[] {
  const sans = cluster.controllers.find((each) => each.name === member)?.sans;
  const constraints = tryParse(activeAuthority(pki, use)?.certificate ?? '')?.facts.nameConstraints;
  return sans === undefined || constraints === undefined ? [] : violations(constraints, sans);
}

function refusal(
  member: string,
  authority: string,
  { names, moves }: { readonly names: readonly string[]; readonly moves: boolean },
): QuorateError {
  const message = `${member}: ${authority} is limited to names that ${names.join(', ')} is not among`;
  const renew = 'quorate certs rotate-ca --renew';
  return new QuorateError('refused', message, {
    host: member,
    hint: moves
      ? `put its address back, write the new one under its sans, and renew the authorities with that name: ${renew}; then change the address`
      : `renew the authorities with the names of the inventory first: ${renew}`,
  });
}
