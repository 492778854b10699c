/** The guard before the store changes whom members trust and whose certificates they get: told from what each running process was started with. */
import { createHash } from 'node:crypto';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { pkiLink } from '../domain/layout.ts';
import { type AuthorityView, bundleOf, trustedAuthorities, type Use } from '../domain/pki-view.ts';
import { OPERATOR, type Step } from '../domain/step.ts';
import { adminRenewal } from '../plan/admin-renewal.ts';
import { flawsOf, wishOf } from '../plan/generation-wish.ts';
import type { View } from '../plan/view.ts';

/**
 * Lets an authority begin to sign, lose its trust, or be served without its cross certificate, or refuses: any of these done too early cuts members off.
 * @throws QuorateError refused, every member that stands in the way
 */
export function guardAuthorities(step: Step, view: View): void {
  const objections = objectionsTo(step, view);
  if (objections.length === 0) return;
  throw combineErrors(
    `${objections.length} members are not ready for this`,
    objections.map(({ host, text }) => {
      const hint = 'run the same command again: it brings that member to where it must be first';
      return new QuorateError('refused', `${host}: ${text}`, { host, hint });
    }),
  );
}

interface MemberObjection {
  readonly host: string;
  readonly text: string;
}

function objectionsTo(step: Step, view: View): readonly MemberObjection[] {
  switch (step.kind) {
    case 'authority.activate':
      return forEach(view, step.ids, (host, authority) => reachObjection(view, host, authority));
    case 'authority.uncross':
      return forEach(view, step.ids, (host, authority) =>
        reachObjection(view, host, { ...authority, crossMade: undefined }),
      );
    case 'authority.retire':
      return [
        ...forEach(view, step.ids, (host, authority) => useObjection(view, host, authority)),
        ...adminObjection(view),
      ];
    default:
      return [];
  }
}

function forEach(
  view: View,
  ids: readonly string[],
  judge: (host: string, authority: AuthorityView) => string | undefined,
): readonly MemberObjection[] {
  return view.cluster.controllers.flatMap(({ name: host }) =>
    ids.flatMap((id) => {
      const authority = view.pki.authorities.find((each) => each.id === id);
      const text = authority === undefined ? `the store does not know ${id}` : judge(host, authority);
      return text === undefined ? [] : [{ host, text }];
    }),
  );
}

/** Why this member would not accept certificates of the authority: it trusts neither it, nor a predecessor that has signed it. */
function reachObjection(view: View, host: string, authority: AuthorityView): string | undefined {
  for (const use of usesOf(authority)) {
    const trusted = runningTrust(view, host, use);
    if (trusted === undefined) return `unknown which authorities its process trusts for ${words[use]}`;
    const before = trustedAuthorities(view.pki, use).filter((each) => each.id !== authority.id);
    const vouched = authority.crossMade !== undefined && authority.crossMade.trim() !== authority.certificate.trim();
    const crossed = vouched && before.some((each) => holds(trusted, each));
    if (!holds(trusted, authority) && !crossed) return `its process does not trust ${authority.id} yet`;
  }
  return undefined;
}

/** Members that trust the new authority alone would refuse quorate itself. */
function adminObjection(view: View): readonly MemberObjection[] {
  const { draft, blocked } = adminRenewal(view);
  const why = draft?.why ?? blocked;
  return why === undefined
    ? []
    : [{ host: OPERATOR, text: `the operator's certificate must be issued anew first: ${why}` }];
}

/** Why the authority is still in use on this member. */
function useObjection(view: View, host: string, authority: AuthorityView): string | undefined {
  const flaws = flawsOf(
    view,
    host,
    wishOf(view, () => 'make'),
  ).leaves;
  const purposes = (['server', 'peer', 'client'] as const).filter((each) =>
    usesOf(authority).includes(each === 'peer' ? 'peer' : 'client'),
  );
  const left = purposes.filter((each) => flaws[each] !== undefined);
  return left.length === 0
    ? undefined
    : `its ${left.join(' and ')} certificate is not of the authority that signs now (${flaws[left[0] ?? 'server']})`;
}

/** The bundle that the running process was started with, as far as its sha256 tells; of one that does not run, what it would start with. */
function runningTrust(view: View, name: string, use: Use): string | undefined {
  const host = view.facts.hosts[name];
  const onDisk = host?.certificates[`${pkiLink(view.cluster)}/${use === 'client' ? 'ca' : 'peer-ca'}.crt`];
  if (host === undefined || onDisk === undefined) return undefined;
  if (host.unit.activeState === 'inactive' || host.unit.activeState === 'failed') return onDisk;
  const started = use === 'client' ? host.run?.caSha256 : host.run?.peerCaSha256;
  const known = [onDisk, ...alone(view, use)];
  return known.find((each) => sha256(each) === started);
}

/** Each trusted authority's own bundle: what a process may run with that has not been restarted since. */
function alone({ pki }: View, use: Use): readonly string[] {
  return trustedAuthorities(pki, use).map((each) => bundleOf([each]));
}

function holds(bundle: string, { certificate }: AuthorityView): boolean {
  return certificate !== '' && bundle.includes(certificate.trim());
}

function usesOf({ purpose }: AuthorityView): readonly Use[] {
  return purpose === 'both' ? ['client', 'peer'] : [purpose];
}

const words: Readonly<Record<Use, string>> = { client: 'clients', peer: 'peers' };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
