/** Why certificates cannot be rotated: told before anything is changed. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { openGoal, type RotateGoal } from '../domain/goal.ts';
import { activeAuthority } from '../domain/pki-view.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';
import { serves } from '../domain/voters.ts';
import { tryParseChain } from '../pki/chain.ts';
import { isOutside, lackingWords, OUTSIDE_HINT, refuseUnsigned } from './outside.ts';
import type { View } from './view.ts';

/**
 * @throws QuorateError refused: there is no cluster, or a host is no member of it; unreachable: a member that is to be changed, or most of them
 */
export function requireRotatable(view: View, members: readonly string[]): void {
  const { cluster, facts, pki } = view;
  if (pki.identity === undefined || !activeAuthority(pki, 'client') || !activeAuthority(pki, 'peer')) {
    throw new QuorateError('refused', `${cluster.name}: the state directory holds no authorities that could sign`, {
      hint: 'quorate bootstrap -i FILE makes a cluster; for one that exists, restore its state directory',
    });
  }
  for (const name of members) requireMember(view, name);
  const reached = cluster.controllers.filter(({ name }) => facts.hosts[name] !== undefined);
  if (reached.length * 2 > cluster.controllers.length) return;
  const lost = cluster.controllers.filter(({ name }) => facts.hosts[name] === undefined).map((each) => each.name);
  throw new QuorateError(
    'unreachable',
    `${lost.join(', ')} cannot be reached: a run locks most of the ${cluster.controllers.length} hosts`,
    { hint: 'bring one of them back first' },
  );
}

/**
 * Where certificates are signed elsewhere: a rotation that was asked for cannot make them, and a member that lacks one cannot get another generation.
 * @throws QuorateError refused
 */
export function requireOwnSigner(
  view: View,
  members: readonly string[],
  { purposes, due }: { readonly purposes: readonly LeafPurpose[]; readonly due: boolean },
): void {
  if (due) return;
  const outside = purposes.filter((each) => isOutside(view, each));
  const own = purposes.filter((each) => !outside.includes(each));
  if (outside.length > 0) {
    const others = own.length === 0 ? '' : `; the others: quorate certs rotate --kind ${own.join(',')}`;
    throw new QuorateError('refused', `${outside.join(', ')} certificates are signed elsewhere (pki.external)`, {
      hint: `${OUTSIDE_HINT}${others}`,
    });
  }
  refuseUnsigned(
    view.cluster.name,
    members.flatMap((name) => lackingWords(view, name)),
  );
}

function requireMember({ facts, pki }: View, name: string): void {
  const host = facts.hosts[name];
  if (host === undefined) {
    throw new QuorateError('unreachable', facts.unreachable[name] ?? `${name}: was not observed`, { host: name });
  }
  const { marker } = host.records;
  if (marker !== undefined && marker.uuid === pki.identity?.uuid) return;
  const what =
    marker === undefined ? 'is no member of a formed cluster' : `belongs to another cluster (UUID ${marker.uuid})`;
  throw new QuorateError('refused', `${name}: ${what}`, {
    host: name,
    hint: 'quorate plan -i FILE tells what is there',
  });
}

/**
 * Before members are taken in turn. Where the operator's own certificate has ended nobody can be asked, and it is renewed first.
 * @throws QuorateError refused: no member serves, so that none could get well in a turn of its own
 */
export function requireServing(view: View): void {
  if (!isDown(view)) return;
  const { cluster, facts } = view;
  const said = cluster.controllers.flatMap(({ name }) => facts.endpoints[name]?.failure ?? []);
  throw new QuorateError(
    'refused',
    `no member serves clients (${said[0] ?? 'no one answers'}): none would get well alone`,
    {
      hint: 'quorate certs rescue -i FILE mends all at once where certificates have ended; quorate status -i FILE tells more',
    },
  );
}

/**
 * Before another verb makes generations, or removes those that a rotation has prepared. `verb` is the one that was asked for.
 * @throws QuorateError refused: a rotation of leaves is open
 */
export function requireNoRotation(view: View, verb: string): void {
  const open = openGoal(view.pki.goals, 'rotate');
  if (open === undefined) return;
  throw new QuorateError(
    'refused',
    `a rotation is open, begun by ${open.who}, ${open.since}: its generations come first`,
    { hint: `${finishingCommand(view, open)}, then quorate ${verb} again` },
  );
}

/** The command that goes on with an open rotation. */
export function finishingCommand({ cluster }: View, { targets, purposes, keys }: RotateGoal): string {
  const all = cluster.controllers.every(({ name }) => targets[name] !== undefined);
  const members = all ? '' : ` --member ${Object.keys(targets).join(' ')}`;
  const kept = keys === 'keep' ? ' --keep-keys' : '';
  const kinds = purposes.length === leafPurposes.length ? '' : ` --kind ${purposes.join(',')}`;
  return `quorate certs rotate -i FILE${members}${kinds}${kept}`;
}

/** Whether no member serves clients, as far as the operator's certificate lets anybody ask. */
export function isDown({ cluster, facts, pki, now }: View): boolean {
  const admin = tryParseChain(pki.admin ?? '')?.leaf.facts;
  const couldAsk = admin !== undefined && admin.notBefore <= now && now < admin.notAfter;
  return couldAsk && !cluster.controllers.some(({ name }) => serves(facts, name));
}
