/** Keys, authorities and certificates for fake hosts, each made once in a test process. */
import { randomBytes } from 'node:crypto';
import type { Cluster } from '../../src/domain/cluster.ts';
import type { AuthorityView } from '../../src/domain/pki-view.ts';
import type { LeafPurpose } from '../../src/domain/step.ts';
import { issueLeaf } from '../../src/pki/issue.ts';
import { adminProfile, memberProfile } from '../../src/pki/profile.ts';
import { readPublicKey } from '../../src/pki/public-key.ts';
import { authority, type KeyPair, keyPair, type TestAuthority } from '../unit/pki/material.ts';
import { NOW } from './facts.ts';

const keys = new Map<string, KeyPair>();
const authorities = new Map<string, TestAuthority>();
const leaves = new Map<string, string>();

/** The authority of a cluster for a purpose; the same one whenever it is asked for. */
export function authorityOf(cluster: Cluster, purpose: AuthorityView['purpose']): TestAuthority {
  return remember(authorities, `${cluster.name} ${purpose}`, () =>
    authority({ purpose, now: NOW, clusterName: cluster.name, nameConstraints: cluster.pki.nameConstraints }),
  );
}

/** The public half of the `count`-th key of a member for a purpose, SPKI PEM. */
export function publicKeyOf(cluster: Cluster, host: string, purpose: LeafPurpose, count = 1): string {
  const { algorithm } = cluster.pki;
  return remember(keys, `${cluster.name} ${algorithm} ${host} ${purpose} ${count}`, () => keyPair(algorithm)).spki;
}

/** A member's certificate for a public key as this cluster's policy wants it, PEM. */
export function certificateOf(
  cluster: Cluster,
  host: string,
  order: { readonly purpose: LeafPurpose; readonly publicKey: string; readonly now: number },
): string {
  const { purpose, now } = order;
  const controller = cluster.controllers.find((each) => each.name === host);
  if (controller === undefined) throw new Error(`${host} is no controller`);
  const { pki } = cluster;
  const profile = memberProfile(purpose, controller, pki);
  return remember(leaves, JSON.stringify([cluster.name, host, profile, order]), () => {
    const signed = purpose === 'peer' ? 'peer' : 'client';
    const { signer } = authorityOf(cluster, pki.authorities === 'single' ? 'both' : signed);
    const publicKey = readPublicKey(order.publicKey, pki.algorithm);
    return issueLeaf(signer, { profile, publicKey, policy: pki, serial: randomBytes(20), now }).pem;
  });
}

/** The operator's own certificate, PEM. */
export function adminOf(cluster: Cluster, now: number): string {
  const { pki } = cluster;
  const profile = adminProfile(pki);
  return remember(leaves, JSON.stringify([cluster.name, profile, now]), () => {
    const { signer } = authorityOf(cluster, pki.authorities === 'single' ? 'both' : 'client');
    const publicKey = readPublicKey(adminKeyOf(cluster), pki.algorithm);
    return issueLeaf(signer, { profile, publicKey, policy: pki, serial: randomBytes(20), now }).pem;
  });
}

/** The public half of the operator's own key, SPKI PEM. */
export function adminKeyOf({ name, pki }: Cluster): string {
  return remember(keys, `${name} ${pki.algorithm} operator`, () => keyPair(pki.algorithm)).spki;
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
