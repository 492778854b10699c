/** How authorities change their status: each change of the document, and what is refused. Pure; asking for what is so already changes nothing. */
import { QuorateError } from '../domain/errors.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { authorityId } from './state.ts';

/** A change of the document; returns the same object where there is nothing to change. Throws `refused` for what would cut somebody off. */
export type Transition = (document: ClusterDocument, id: string) => ClusterDocument;

/** `incoming` signs from now on, and its leaves carry its cross certificate; the one that signed until now is trusted and signs no more. */
export const activate: Transition = (document, id) => {
  const entry = entryOf(document, id);
  if (entry.status === 'active') return document;
  if (entry.status !== 'incoming') {
    throw refused(document, `${id} is ${entry.status}, and only an incoming authority can begin to sign`);
  }
  const predecessor = signerBeside(document, entry);
  return replaced(document, [
    { ...predecessor, status: 'outgoing' },
    { ...entry, status: 'active', crossServed: entry.cross !== undefined },
  ]);
};

/** `incoming` signs from now on, and the one that did is trusted no more: refused unless that is among those that have `ended`. */
export function replace(document: ClusterDocument, id: string, ended: readonly string[]): ClusterDocument {
  const entry = entryOf(document, id);
  if (entry.status === 'active') return document;
  const before = authorityId(signerBeside(document, entry));
  if (ended.includes(before)) return retire(activate(document, id), before);
  throw refused(document, `${before} has not expired: ${id} can only succeed it`, 'quorate certs rotate-ca');
}

/** `outgoing` is trusted no more. */
export const retire: Transition = (document, id) => {
  const entry = entryOf(document, id);
  if (entry.status === 'retired') return document;
  if (entry.status === 'outgoing') return replaced(document, [{ ...entry, status: 'retired' }]);
  const why = entry.status === 'active' ? 'it is the one that signs' : 'its rotation has only begun';
  throw refused(document, `${id} can't be retired: ${why}`, 'go on with quorate certs rotate-ca, or --abort it');
};

/** Leaves of the active authority are served alone from now on. Refused while its predecessor is still trusted: some may trust nothing else. */
export const dropCross: Transition = (document, id) => {
  const entry = entryOf(document, id);
  if (entry.crossServed !== true) return document;
  const outgoing = besides(document, entry).find((each) => each.status === 'outgoing');
  if (outgoing === undefined) return replaced(document, [{ ...entry, crossServed: false }]);
  throw refused(
    document,
    `the cross certificate of ${id} is still needed: ${authorityId(outgoing)} is trusted, and members may trust nothing else`,
    'first quorate certs rotate-ca --until trust-new',
  );
};

/** A rotation goes back: the predecessor signs again, and the successor is trusted until it is retired; one that never signed is retired at once. */
export const abandon: Transition = (document, id) => {
  const entry = entryOf(document, id);
  if (entry.status === 'retired') return document;
  if (entry.status === 'incoming') return replaced(document, [{ ...entry, status: 'retired' }]);
  if (entry.status === 'active') return backTo(document, entry);
  if (entry.number > signerBeside(document, entry).number) return document;
  throw refused(document, `${id} is the predecessor: what can be abandoned is its successor`);
};

/** Registers a successor that was made; one that is there already stays. Refused while another rotation is open. */
export function addSuccessor(
  document: ClusterDocument,
  entry: AuthorityEntry,
  standing: readonly string[] = [],
): ClusterDocument {
  const known = document.authorities.some((each) => authorityId(each) === authorityId(entry));
  if (known || incomingFor(document, entry.purpose) !== undefined) return document;
  requireSettled(document, entry.purpose, standing);
  return { ...document, authorities: [...document.authorities, entry] };
}

/** The authority that signs for `purpose`, whose rotation may begin; `standing`: those whose chain stands for good, as an intermediate's. Throws `refused` where there is none, or a rotation is not at its end. */
export function requireSettled(
  document: ClusterDocument,
  purpose: AuthorityEntry['purpose'],
  standing: readonly string[] = [],
): AuthorityEntry {
  const active = signerBeside(document, { purpose });
  const outgoing = document.authorities.find((each) => each.purpose === purpose && each.status === 'outgoing');
  if (outgoing !== undefined) {
    throw refused(
      document,
      `the rotation from ${authorityId(outgoing)} to ${authorityId(active)} is not at its end`,
      'end it first: quorate certs rotate-ca --until trust-new, or --abort',
    );
  }
  if (active.crossServed === true && !standing.includes(authorityId(active))) {
    throw refused(
      document,
      `leaves are still served with the cross certificate of ${authorityId(active)}: another one behind it would be too much for a chain`,
      'end that rotation first: quorate certs rotate-ca --until drop-cross',
    );
  }
  return active;
}

export function incomingFor(document: ClusterDocument, purpose: AuthorityEntry['purpose']): AuthorityEntry | undefined {
  return document.authorities.find((each) => each.purpose === purpose && each.status === 'incoming');
}

/** The authority of this ID; throws `refused` where there is none. */
export function entryOf(document: ClusterDocument, id: string): AuthorityEntry {
  const found = document.authorities.find((each) => authorityId(each) === id);
  if (found !== undefined) return found;
  throw refused(document, `has no authority ${id}`, 'quorate certs ca show lists them');
}

function backTo(document: ClusterDocument, successor: AuthorityEntry): ClusterDocument {
  const before = besides(document, successor).filter((each) => each.number < successor.number);
  const predecessor = before.find((each) => each.status === 'outgoing');
  if (predecessor !== undefined) {
    return replaced(document, [
      { ...predecessor, status: 'active' },
      { ...successor, status: 'outgoing', crossServed: false },
    ]);
  }
  throw refused(
    document,
    `there is no way back from ${authorityId(successor)}: members no longer trust another authority, and leaves of one would cut them off`,
    'rotate forward to a new one: quorate certs rotate-ca',
  );
}

function signerBeside(document: ClusterDocument, { purpose }: Pick<AuthorityEntry, 'purpose'>): AuthorityEntry {
  const active = document.authorities.find((each) => each.purpose === purpose && each.status === 'active');
  if (active !== undefined) return active;
  throw refused(document, `has no active ${purpose} authority`, 'run quorate bootstrap');
}

function besides({ authorities }: ClusterDocument, entry: AuthorityEntry): readonly AuthorityEntry[] {
  return authorities.filter((each) => each.purpose === entry.purpose && each.number !== entry.number);
}

function replaced(document: ClusterDocument, entries: readonly AuthorityEntry[]): ClusterDocument {
  const byId = new Map(entries.map((each) => [authorityId(each), each]));
  return { ...document, authorities: document.authorities.map((each) => byId.get(authorityId(each)) ?? each) };
}

function refused({ name }: ClusterDocument, what: string, hint?: string): QuorateError {
  return new QuorateError('refused', `cluster ${name}: ${what}`, { hint });
}
