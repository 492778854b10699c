/** Keys, authorities and certificates for fake hosts, each made once in a test process. */
import { randomBytes } from 'node:crypto';
import type { Cluster } from '../../src/domain/cluster.ts';
import type { AuthorityView } from '../../src/domain/pki-view.ts';
import type { LeafPurpose } from '../../src/domain/step.ts';
import { issueLeaf } from '../../src/pki/issue.ts';
import { memberProfile } from '../../src/pki/profile.ts';
import { readPublicKey } from '../../src/pki/public-key.ts';
import { authority, type KeyPair, keyPair, type TestAuthority } from '../unit/pki/material.ts';
import { NOW } from './facts.ts';

const keys = new Map<string, KeyPair>();
const authorities = new Map<string, TestAuthority>();
const leaves = new Map<string, string>();

/** The authority of a cluster for a purpose; the same one whenever it is asked for. */
export function authorityOf(cluster: Cluster, purpose: AuthorityView['purpose']): TestAuthority {
  return remember(authorities, `${cluster.name} ${purpose}`, () =>
    authority({ purpose, now: NOW, clusterName: cluster.name }),
  );
}

/** The public half of a member's key, SPKI PEM. */
export function publicKeyOf(cluster: Cluster, host: string, purpose: LeafPurpose): string {
  return keyOf(cluster, host, purpose).spki;
}

/** A member's certificate as this cluster's policy wants it, PEM, issued at {@link NOW}. */
export function certificateOf(cluster: Cluster, host: string, purpose: LeafPurpose): string {
  const controller = cluster.controllers.find((each) => each.name === host);
  if (controller === undefined) throw new Error(`${host} is no controller`);
  const { pki } = cluster;
  const profile = memberProfile(purpose, controller, pki);
  return remember(leaves, JSON.stringify([cluster.name, host, profile]), () => {
    const signed = purpose === 'peer' ? 'peer' : 'client';
    const { signer } = authorityOf(cluster, pki.authorities === 'single' ? 'both' : signed);
    const publicKey = readPublicKey(publicKeyOf(cluster, host, purpose), pki.algorithm);
    return issueLeaf(signer, { profile, publicKey, policy: pki, serial: randomBytes(20), now: NOW }).pem;
  });
}

function keyOf(cluster: Cluster, host: string, purpose: LeafPurpose): KeyPair {
  const { algorithm } = cluster.pki;
  return remember(keys, `${cluster.name} ${algorithm} ${host} ${purpose}`, () => keyPair(algorithm));
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
