/** Certificates for clients of etcd: policy, issue, and the copy of each certificate in the store. */
import { createPublicKey } from 'node:crypto';
import type { ClientOrder, IssuedClient } from '../domain/client-order.ts';
import { QuorateError } from '../domain/errors.ts';
import type { PkiContext } from './context.ts';
import { readRequest } from './csr.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import { clientKey } from './public-side.ts';
import { signAndRecord } from './signing.ts';
import { readDocument, requireUuid } from './state.ts';
import { updateObject } from './store.ts';

const dayMs = 86_400_000;

/**
 * Issues a client's certificate for a key made here, or for that of a request. Journal first, then the store (where the newest of a name stands), and
 * only then it is returned. Throws `refused` for what the policy does not allow.
 */
export async function issueClient(context: PkiContext, order: ClientOrder): Promise<IssuedClient> {
  checkOrder(context, order);
  const { name, commonName, organization, lifetimeMs, csr } = order;
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  const key = csr === undefined ? await context.entropy.privateKey(context.policy.algorithm) : undefined;
  const publicKey = key === undefined ? readRequest(csr ?? '', 'the request') : publicKeyOf(key, context);
  const profile = {
    purpose: 'client',
    commonName,
    organization,
    sans: { dns: [], ip: [] },
    algorithm: publicKey.algorithm,
  } as const;
  const policy = { ...context.policy, leafLifetimeDays: lifetimeMs / dayMs };
  const why = `client ${name}${csr === undefined ? '' : ' (signing request)'}`;
  const [made] = await signAndRecord({ ...context, policy }, document, [{ profile, publicKey, client: name, why }]);
  if (made === undefined) throw new Error('one order gave no certificate');
  const { serial, notAfter, cut } = made.leaf;
  await updateObject(context.store, clientKey(name), () => made.chain);
  return { name, certificate: made.chain, key, serial, notAfter, cut };
}

function checkOrder({ policy }: PkiContext, { name, commonName, lifetimeMs, allowRoot }: ClientOrder): void {
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(name) || name === 'admin') {
    throw new QuorateError('refused', `client ${JSON.stringify(name)}: is no name for a client`, {
      hint: 'lower-case letters, digits, dots and hyphens; admin is the operator; the common name may be another: --cn',
    });
  }
  if (commonName === 'root' && !allowRoot) {
    throw new QuorateError('refused', `client ${name}: CN=root is etcd's superuser: whoever holds it may do anything`, {
      hint: 'name another user with --cn; if it must be root: --allow-root',
    });
  }
  if (/^quorate-/.test(commonName)) {
    throw new QuorateError('refused', `client ${name}: common names quorate-… are those of the members' own clients`, {
      hint: 'name another user with --cn',
    });
  }
  const longestMs = policy.leafLifetimeDays * dayMs;
  if (lifetimeMs > longestMs) {
    const days = `${Math.ceil(lifetimeMs / dayMs)} d`;
    throw new QuorateError(
      'refused',
      `client ${name}: ${days} is longer than the policy's ${policy.leafLifetimeDays} d`,
      {
        hint: `--ttl ${policy.leafLifetimeDays}d, or another pki.leafLifetimeDays in the inventory`,
      },
    );
  }
  if (lifetimeMs <= 0) throw new QuorateError('refused', `client ${name}: it would end as it begins`);
}

function publicKeyOf(pem: string, { policy }: PkiContext): PublicKey {
  return readPublicKey(createPublicKey(pem).export({ type: 'spki', format: 'der' }), policy.algorithm);
}
