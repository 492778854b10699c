/**
 * A key, its certificate and the authorities in one PKCS #12 file (RFC 7292): PBES2 with AES-256-CBC and HMAC-SHA-256 throughout. Built on node-forge's
 * ASN.1, because its own PKCS #12 writer knows RSA keys only. Pure: salts are given.
 */
import { createCipheriv, createHash, createHmac, createPrivateKey, pbkdf2Sync } from 'node:crypto';
import { encode, explicit, implicit, integer, type Node, nullValue, octetString, oid, sequence, set } from './der.ts';
import { splitPem } from './inspect.ts';

export interface KeyStore {
  /** PKCS#8 PEM; secret. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM bundle. */
  readonly authorities: string;
  /** Shown by programs that list it. */
  readonly friendlyName: string;
}

/** Random octets, as many as asked for. */
export type Random = (length: number) => Uint8Array;

/** OWASP's figure for PBKDF2 with HMAC-SHA-256 (2023). */
const keyIterations = 600_000;
/** The MAC's derivation has no strength of its own; OpenSSL's default. */
const macIterations = 2048;

const id = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

/** The file's octets (DER). */
export function writeKeyStore(store: KeyStore, passphrase: string, random: Random): Buffer {
  const [leaf = Buffer.alloc(0), ...others] = [...splitPem(store.certificate), ...splitPem(store.authorities)].map(
    derOf,
  );
  const keyId = createHash('sha1').update(leaf).digest();
  const own = [friendlyName(store.friendlyName), attribute(id.localKeyId, octetString(keyId))];
  const certificates = sequence(certBag(leaf, own), ...others.map((each) => certBag(each, [])));
  const key = createPrivateKey(store.key).export({ type: 'pkcs8', format: 'der' });
  const shrouded = encrypt(key, passphrase, random);
  const keyBag = bag(id.shroudedKeyBag, sequence(shrouded.identifier, octetString(shrouded.content)), own);
  const sealed = encrypt(encode(certificates), passphrase, random);
  const content = sequence(oid(id.data), sealed.identifier, implicit(0, sealed.content));
  const safe = encode(
    sequence(
      sequence(oid(id.encryptedData), explicit(0, sequence(integer(Buffer.of(0)), content))),
      dataInfo(encode(sequence(keyBag))),
    ),
  );
  return encode(sequence(integer(Buffer.of(3)), dataInfo(safe), macData(safe, passphrase, random(16))));
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}

function dataInfo(content: Buffer): Node {
  return sequence(oid(id.data), explicit(0, octetString(content)));
}

function certBag(der: Buffer, attributes: readonly Node[]): Node {
  return bag(id.certBag, sequence(oid(id.x509Certificate), explicit(0, octetString(der))), attributes);
}

function bag(type: string, value: Node, attributes: readonly Node[]): Node {
  return sequence(oid(type), explicit(0, value), ...(attributes.length === 0 ? [] : [set(...inOrder(attributes))]));
}

/** DER sorts a SET OF by its elements' octets (X.690, 11.6). */
function inOrder(nodes: readonly Node[]): readonly Node[] {
  return nodes.toSorted((left, right) => Buffer.compare(encode(left), encode(right)));
}

function attribute(type: string, value: Node): Node {
  return sequence(oid(type), set(value));
}

function friendlyName(name: string): Node {
  return attribute(id.friendlyName, bmpString(name));
}

/** PBES2 (RFC 8018, 6.2 and appendix A.4). */
function encrypt(plaintext: Uint8Array, passphrase: string, random: Random): { identifier: Node; content: Buffer } {
  const salt = random(16);
  const vector = random(16);
  const key = pbkdf2Sync(passphrase, salt, keyIterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, vector);
  const derivation = sequence(
    octetString(salt),
    integer(bigEndian(keyIterations)),
    sequence(oid(id.hmacSha256), nullValue()),
  );
  const scheme = sequence(oid(id.aes256Cbc), octetString(vector));
  return {
    identifier: sequence(oid(id.pbes2), sequence(sequence(oid(id.pbkdf2), derivation), scheme)),
    content: Buffer.concat([cipher.update(plaintext), cipher.final()]),
  };
}

function macData(content: Buffer, passphrase: string, salt: Uint8Array): Node {
  const mac = createHmac('sha256', macKey(passphrase, salt)).update(content).digest();
  const digest = sequence(sequence(oid(id.sha256), nullValue()), octetString(mac));
  return sequence(digest, octetString(salt), integer(bigEndian(macIterations)));
}

/** RFC 7292, appendix B.2, for SHA-256 (u = 32, v = 64), ID 3; one block is enough. */
function macKey(passphrase: string, salt: Uint8Array): Buffer {
  const block = 64;
  const password = Buffer.concat([utf16BigEndian(passphrase), Buffer.of(0, 0)]);
  let hash = createHash('sha256')
    .update(Buffer.concat([Buffer.alloc(block, 3), repeatTo(salt, block), repeatTo(password, block)]))
    .digest();
  for (let round = 1; round < macIterations; round++) hash = createHash('sha256').update(hash).digest();
  return hash;
}

/** Repeated until the next multiple of `block`. */
function repeatTo(octets: Uint8Array, block: number): Buffer {
  return Buffer.alloc(block * Math.ceil(octets.length / block), octets);
}

/** The library writes each code unit of such a value as two octets. */
function bmpString(text: string): Node {
  return { ...octetString(Buffer.alloc(0)), type: 30, value: text };
}

function utf16BigEndian(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

function bigEndian(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets.subarray(octets.findIndex((each) => each !== 0));
}
