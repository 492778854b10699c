/** certs rescue, where an authority that has expired cannot be renewed, since its key is elsewhere: its successor takes its place. Pure. */
import { QuorateError } from '../domain/errors.ts';
import type { AuthorityView } from '../domain/pki-view.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { tryParse } from '../pki/inspect.ts';
import { OUTSIDE_HINT } from './outside.ts';
import type { View } from './view.ts';

/**
 * The store once successors have taken the places of those of `ended` that sign elsewhere: nothing verifies with an expired authority, so nobody is cut off.
 * @throws QuorateError refused where there is no successor that is valid
 */
export function replacedView(view: View, ended: readonly AuthorityView[]): View {
  const outside = ended.filter((each) => each.signsElsewhere === true);
  if (outside.length === 0) return view;
  const lacking = outside.filter((each) => successorOf(view, each) === undefined);
  if (lacking.length > 0) throw noSuccessor(view, lacking);
  const successors = outside.flatMap((each) => successorOf(view, each) ?? []);
  const authorities = view.pki.authorities.map((each): AuthorityView => {
    if (outside.includes(each)) return { ...each, status: 'retired' };
    return successors.includes(each) ? { ...each, status: 'active', cross: each.crossMade } : each;
  });
  return { ...view, pki: { ...view.pki, authorities } };
}

/** The step that makes it so. */
export function replacingDrafts(view: View, ended: readonly AuthorityView[]): readonly Draft[] {
  const outside = ended.filter((each) => each.signsElsewhere === true);
  const ids = outside.flatMap((each) => successorOf(view, each)?.id ?? []).sort();
  const why = 'what signed until now has expired, and its key is elsewhere';
  return ids.length === 0 ? [] : [{ kind: 'authority.replace', host: OPERATOR, ids, why }];
}

function successorOf({ pki, now }: View, { purpose }: AuthorityView): AuthorityView | undefined {
  return pki.authorities.find(
    (each) =>
      each.purpose === purpose &&
      each.status === 'incoming' &&
      (tryParse(each.certificate)?.facts.notAfter ?? now) > now,
  );
}

function noSuccessor({ cluster }: View, lacking: readonly AuthorityView[]): QuorateError {
  const [first] = lacking;
  const what = lacking.map(({ id }) => `the authority ${id} has expired`).join('; ');
  return new QuorateError(
    'refused',
    `${cluster.name}: ${what}, its key is elsewhere, and nothing has come to take its place`,
    {
      hint: `have another one sign: ${OUTSIDE_HINT}; or give quorate one of its own (quorate certs ca import --cert ca.crt --key ca.key --purpose ${first?.purpose}); then quorate certs rescue -i FILE`,
    },
  );
}
