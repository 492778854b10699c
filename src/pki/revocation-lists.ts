/** The revocation lists in the store: one for each authority that has signed one, `crl/client-1.crl`, in DER. */
import { createHash } from 'node:crypto';
import type { StoredList } from '../domain/certificate-evidence.ts';
import type { AuthorityView, RevocationListView, Use } from '../domain/pki-view.ts';
import { readRevocationList } from './crl.ts';
import { usesOf } from './revoked.ts';
import type { PkiStore } from './store.ts';

/** Where the list that an authority signs stands in the store. */
export function listKey(authority: string): string {
  return `crl/${authority}.crl`;
}

/** What each list in the store says. Throws `refused` where one is no list. */
export async function storedLists(store: PkiStore): Promise<readonly StoredList[]> {
  const keys = await store.list('crl/');
  return Promise.all(
    keys.map(async (key) => {
      const bytes = (await store.read(key))?.bytes ?? Buffer.alloc(0);
      const { thisUpdate, nextUpdate, revoked } = readRevocationList(bytes, `${store.location}/${key}`);
      return { authority: authorityOf(key), serials: revoked.length, thisUpdate, nextUpdate };
    }),
  );
}

/** Ports for which the store holds a list. */
export async function revokedUses(store: PkiStore): Promise<readonly Use[]> {
  const ids = (await store.list('crl/')).map(authorityOf);
  return (['client', 'peer'] as const).filter((use) => ids.some((id) => usesOf(id).includes(use)));
}

/**
 * The list that each port must have; a use without one has never had anything revoked. That of the authority that signs now, else the
 * newest: etcd does not look at who signed it. Throws `refused` where one is no list: a file that etcd can't read ends every new connection.
 */
export async function loadLists(
  store: PkiStore,
  authorities: readonly Pick<AuthorityView, 'id' | 'status'>[],
): Promise<Readonly<Partial<Record<Use, RevocationListView>>>> {
  const keys = await store.list('crl/');
  const lists = await Promise.all(
    keys.map(async (key) => {
      const id = authorityOf(key);
      const bytes = (await store.read(key))?.bytes ?? Buffer.alloc(0);
      const { thisUpdate } = readRevocationList(bytes, `${store.location}/${key}`);
      const active = authorities.some((each) => each.id === id && each.status === 'active');
      const view = { der: bytes.toString('base64'), sha256: createHash('sha256').update(bytes).digest('hex') };
      return { id, thisUpdate, active, view };
    }),
  );
  const best = lists.toSorted(
    (left, right) => Number(right.active) - Number(left.active) || right.thisUpdate - left.thisUpdate,
  );
  const entries = (['client', 'peer'] as const).flatMap((use) => {
    const found = best.find(({ id }) => usesOf(id).includes(use));
    return found === undefined ? [] : [[use, found.view] as const];
  });
  return Object.fromEntries(entries);
}

function authorityOf(key: string): string {
  return key.slice('crl/'.length, -'.crl'.length);
}
