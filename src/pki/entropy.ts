/** Randomness of the PKI: keys, serials, identifiers. */
import { generateKeyPair, randomBytes, randomUUID } from 'node:crypto';
import type { KeyAlgorithm } from '../domain/cluster.ts';

/** Where keys and serials come from; tests may put another in its place. */
export interface Entropy {
  uuid(): string;
  /** 20 octets for a certificate's serial. */
  serial(): Uint8Array;
  /** PKCS#8 PEM of a new private key; secret. */
  privateKey(algorithm: KeyAlgorithm): Promise<string>;
}

/** The operating system's, through OpenSSL. */
export const systemEntropy: Entropy = {
  uuid: () => randomUUID(),
  serial: () => randomBytes(20),
  privateKey: makePrivateKey,
};

function makePrivateKey(algorithm: KeyAlgorithm): Promise<string> {
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _: string, key: string): void => (error === null ? resolve(key) : reject(error));
    if (algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384') {
      const namedCurve = algorithm === 'ecdsa-p256' ? 'P-256' : 'P-384';
      generateKeyPair('ec', { namedCurve, publicKeyEncoding, privateKeyEncoding }, done);
    } else {
      const modulusLength = Number(algorithm.slice('rsa-'.length));
      generateKeyPair('rsa', { modulusLength, publicKeyEncoding, privateKeyEncoding }, done);
    }
  });
}
