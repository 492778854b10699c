/** Keys and certificates made at run time for the tests of this folder. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import type { SubjectAltNames } from '../../../src/domain/controller.ts';
import { type AuthorityPurpose, issueAuthority, issueCross } from '../../../src/pki/authority-certificate.ts';
import type { Sign } from '../../../src/pki/certificate.ts';
import { issueLeaf, type Signer, signerOf } from '../../../src/pki/issue.ts';
import type { LeafProfile } from '../../../src/pki/profile.ts';
import { keyAlgorithms, readPublicKey } from '../../../src/pki/public-key.ts';

export const dayMs = 86_400_000;
export const now = Date.now();
export const policy = {
  caLifetimeDays: 3650,
  leafLifetimeDays: 365,
  backdateMinutes: 5,
  organization: 'Example',
  nameConstraints: undefined,
};

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** SPKI PEM. */
  readonly spki: string;
}

export function keyPair(algorithm: KeyAlgorithm): KeyPair {
  const { privateKey } = algorithm.startsWith('rsa-')
    ? generateKeyPairSync('rsa', { modulusLength: Number(algorithm.slice(4)) })
    : generateKeyPairSync('ec', { namedCurve: algorithm === 'ecdsa-p384' ? 'P-384' : 'P-256' });
  return { privateKey, spki: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString() };
}

export function signWith(key: KeyObject): Sign {
  return (data, hash) => sign(hash, data, key);
}

export interface TestAuthority {
  readonly pem: string;
  readonly signer: Signer;
  readonly keys: KeyPair;
}

export function authority(
  options: {
    readonly algorithm?: KeyAlgorithm;
    readonly purpose?: AuthorityPurpose;
    readonly now?: number;
    readonly caLifetimeDays?: number;
    readonly clusterName?: string;
    readonly keys?: KeyPair;
    readonly nameConstraints?: SubjectAltNames | undefined;
  } = {},
): TestAuthority {
  const algorithm = options.algorithm ?? 'ecdsa-p256';
  const keys = options.keys ?? keyPair(algorithm);
  const issued = issueAuthority({
    clusterName: options.clusterName ?? 'prod',
    purpose: options.purpose ?? 'client',
    number: 1,
    policy: {
      ...policy,
      caLifetimeDays: options.caLifetimeDays ?? policy.caLifetimeDays,
      nameConstraints: options.nameConstraints,
    },
    publicKey: readPublicKey(keys.spki, algorithm),
    sign: signWith(keys.privateKey),
    serial: randomBytes(20),
    now: options.now ?? now,
  });
  return { pem: issued.pem, signer: signerOf(issued.pem, signWith(keys.privateKey)), keys };
}

export const serverProfile: LeafProfile = {
  purpose: 'server',
  commonName: 'etcd-1',
  organization: 'Example',
  sans: { dns: ['etcd-1', 'etcd-1.example.com', 'localhost'], ip: ['10.0.0.1', '127.0.0.1', '::1', '2001:db8::1'] },
  algorithm: 'ecdsa-p256',
};

export function leaf(
  ca: TestAuthority,
  profile: LeafProfile = serverProfile,
  options: { readonly now?: number; readonly leafLifetimeDays?: number; readonly serial?: Uint8Array } = {},
) {
  const keys = keyPair(profile.algorithm);
  const issued = issueLeaf(ca.signer, {
    profile,
    publicKey: readPublicKey(keys.spki, profile.algorithm),
    policy: { ...policy, leafLifetimeDays: options.leafLifetimeDays ?? policy.leafLifetimeDays },
    serial: options.serial ?? randomBytes(20),
    now: options.now ?? now,
  });
  return { ...issued, keys };
}

/** The successor's subject and key, signed by its predecessor. */
export function crossOf(
  successor: TestAuthority,
  predecessor: TestAuthority,
  options: { readonly now?: number; readonly nameConstraints?: SubjectAltNames | undefined } = {},
): string {
  const { algorithm } = successor.signer.facts;
  const known = keyAlgorithms.find((each) => each === algorithm);
  if (known === undefined) throw new Error(`no key of type ${algorithm}`);
  return issueCross({
    successor: successor.signer.facts,
    publicKey: readPublicKey(successor.keys.spki, known),
    predecessor: predecessor.signer,
    policy: { ...policy, nameConstraints: options.nameConstraints },
    serial: randomBytes(20),
    now: options.now ?? now,
  }).pem;
}
