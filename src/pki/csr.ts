/** Certificate signing requests (PKCS #10, RFC 2986): proof of possession, and the public key; nothing else of them is taken. Pure. */
import { createPublicKey, verify } from 'node:crypto';
import type { KeyAlgorithm } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { children, content, decode, encode, readOid, tag } from './der.ts';
import { keyAlgorithms, type PublicKey, readPublicKey, spkiAlgorithm } from './public-key.ts';

/** Hash by the signature's object identifier (RFC 5758, 3.2; RFC 4055, 5). */
const hashes: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};

/**
 * The public key of the one request in a PEM text, whose signature proves that whoever made it has the private key. Throws `refused`, `what` first, for
 * anything else: another PEM block beside it (a private key!), a signature that fails or uses SHA-1, a key of a type that is not issued for.
 */
export function readRequest(pem: string, what: string): PublicKey {
  const der = derOf(pem, what);
  const { info, spki, hash, signature } = orRefuse(what, 'does not parse', () => partsOf(der));
  if (hash === undefined)
    throw refusal(what, 'is signed with an algorithm that is not accepted (SHA-256 or better is)');
  const key = orRefuse(what, 'holds no usable public key', () =>
    createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  );
  const proved = orRefuse(what, 'holds no usable signature', () => verify(hash, info, key, signature));
  if (!proved) throw refusal(what, 'is not signed by its own key: whoever made it may not have the private key');
  return readPublicKey(spki, algorithmOf(spki, what));
}

function derOf(pem: string, what: string): Buffer {
  const label = '(?:NEW )?CERTIFICATE REQUEST';
  const blocks = pem.match(/-----BEGIN [^-]*-----/g) ?? [];
  const body = new RegExp(`-----BEGIN ${label}-----\\s+([A-Za-z0-9+/=\\s]+?)-----END ${label}-----`).exec(pem)?.[1];
  if (blocks.some((each) => each.includes('PRIVATE KEY'))) {
    throw refusal(what, 'holds a private key: it must stay where it was made, and only the request is wanted');
  }
  if (body === undefined || blocks.length !== 1)
    throw refusal(what, 'is not one PEM block of type CERTIFICATE REQUEST');
  return Buffer.from(body.replaceAll(/\s/g, ''), 'base64');
}

/** What the signature does not cover is read as strictly as the rest. */
function partsOf(der: Buffer) {
  const request = decode(der);
  const [info, identifier, signature] = children(request);
  if (info === undefined || identifier === undefined || signature === undefined) throw new Error('a field is missing');
  const kinds = [request, identifier, signature].map((node) => `${node.tagClass} ${node.type}`);
  if (kinds.join() !== [tag.sequence, tag.sequence, tag.bitString].map((each) => `0 ${each}`).join()) {
    throw new Error('a field is of another type');
  }
  const [, , spki] = children(info);
  const [algorithm] = children(identifier);
  if (spki === undefined || algorithm === undefined) throw new Error('a field is missing');
  const [unusedBits, ...octets] = content(signature);
  if (unusedBits !== 0) throw new Error('a signature is whole octets');
  return {
    info: encode(info),
    spki: encode(spki),
    hash: hashes[readOid(algorithm)],
    signature: Buffer.from(octets),
  };
}

function algorithmOf(spki: Buffer, what: string): KeyAlgorithm {
  const found = spkiAlgorithm(spki);
  const known = keyAlgorithms.find((each) => each === found);
  if (known === undefined) throw refusal(what, `has a key of type ${found}; issued is for ${keyAlgorithms.join(', ')}`);
  return known;
}

function orRefuse<T>(what: string, reason: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new QuorateError('refused', `${what}: ${reason}`, { cause });
  }
}

function refusal(what: string, reason: string): QuorateError {
  return new QuorateError('refused', `${what}: ${reason}`, {
    hint: "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=NAME' -keyout NAME.key -out NAME.csr",
  });
}
