/** A client certificate of an authority that nobody knows: what a port must refuse. Made in memory, for one proof. */

import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Cluster } from '../domain/cluster.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { issueAuthority } from '../pki/authority-certificate.ts';
import { systemEntropy } from '../pki/entropy.ts';
import { issueLeaf, signerOf } from '../pki/issue.ts';
import { adminProfile } from '../pki/profile.ts';
import { type PublicKey, readPublicKey } from '../pki/public-key.ts';

/** CN=root, as the operator's own, and signed by nobody that counts. */
export async function strangerCertificate(cluster: Cluster, now: number): Promise<TlsMaterial> {
  const policy = { ...cluster.pki, algorithm: 'ecdsa-p256', leafLifetimeDays: 1, caLifetimeDays: 2 } as const;
  const authority = await makeKey();
  const client = await makeKey();
  const ca = issueAuthority({
    clusterName: cluster.name,
    purpose: 'client',
    number: 1,
    policy,
    publicKey: authority.publicKey,
    sign: authority.sign,
    serial: systemEntropy.serial(),
    now,
  });
  const leaf = issueLeaf(signerOf(ca.pem, authority.sign), {
    profile: adminProfile(policy),
    publicKey: client.publicKey,
    policy,
    serial: systemEntropy.serial(),
    now,
  });
  return { ca: ca.pem, cert: leaf.pem, key: client.pem };
}

async function makeKey(): Promise<{
  pem: string;
  publicKey: PublicKey;
  sign: (data: Uint8Array, hash: 'sha256' | 'sha384') => Uint8Array;
}> {
  const pem = await systemEntropy.privateKey('ecdsa-p256');
  const key = createPrivateKey(pem);
  const publicKey = readPublicKey(createPublicKey(key).export({ type: 'spki', format: 'der' }), 'ecdsa-p256');
  return { pem, publicKey, sign: (data, hash) => sign(hash, data, key) };
}
