/** Reading certificates into plain data. Pure. */
import { createHash, X509Certificate } from 'node:crypto';
import type { SubjectAltNames } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { signatureAlgorithmOf } from './certificate.ts';
import { children, content, decode, encode, isContext, type Node, readOid, readTime } from './der.ts';
import { type ReadExtensions, readExtensions } from './inspect-extensions.ts';
import { readName } from './names.ts';
import { spkiAlgorithm, spkiHash } from './public-key.ts';

/** What a certificate says, as data that can be compared, printed and kept as JSON. */
export interface CertificateFacts extends ReadExtensions {
  /** '' where absent. */
  readonly commonName: string;
  readonly organization: string;
  /** `O=example, CN=etcd-1` */
  readonly subject: string;
  readonly issuer: string;
  /** Hex of the names' DER: names are the same only when their octets are (Go compares so). */
  readonly subjectDer: string;
  readonly issuerDer: string;
  /** Hex of the serial's content octets. */
  readonly serial: string;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `ecdsa-p256`, `rsa-2048`, … */
  readonly algorithm: string;
  /** `ecdsa-sha256`, …, or the dotted identifier. */
  readonly signatureAlgorithm: string;
  /** Lower-case hex. */
  readonly spkiSha256: string;
  readonly sha256: string;
  readonly sans: SubjectAltNames;
}

/** A certificate, read once for everything that is asked of it. */
export interface ParsedCertificate {
  readonly facts: CertificateFacts;
  readonly x509: X509Certificate;
}

/** Certificates never change, and every view of a run asks about the same ones again: a hundred members have three each, and perhaps three of the next generation. */
const PARSED_KEPT = 1_000;
const parsed = new Map<string, ParsedCertificate>();

/**
 * The facts of the one certificate in a PEM text; comments around the block are fine. Throws `refused` for none, several, or one that can't be read;
 * `what` names it in the message.
 */
export function readCertificate(pem: string, what = 'a certificate'): CertificateFacts {
  return parseCertificate(pem, what).facts;
}

/** {@link readCertificate}, with Node's own object, which can verify signatures. */
export function parseCertificate(pem: string, what = 'a certificate'): ParsedCertificate {
  const [only, ...others] = splitPem(pem);
  if (only === undefined) throw new QuorateError('refused', `${what}: holds no certificate in PEM`);
  if (others.length > 0) throw new QuorateError('refused', `${what}: holds ${others.length + 1} certificates, not one`);
  const known = parsed.get(only);
  if (known !== undefined) return known;
  try {
    const x509 = new X509Certificate(only);
    const certificate = { facts: readFacts(x509.raw), x509 };
    if (parsed.size >= PARSED_KEPT) parsed.clear();
    parsed.set(only, certificate);
    return certificate;
  } catch (cause) {
    throw new QuorateError('refused', `${what}: cannot be read`, { cause });
  }
}

/** {@link parseCertificate}, or undefined where it would refuse: for what comes from hosts. */
export function tryParse(pem: string): ParsedCertificate | undefined {
  try {
    return parseCertificate(pem);
  } catch (error) {
    if (error instanceof QuorateError) return undefined;
    throw error;
  }
}

/** {@link tryParse} that reads each text once: reports look at the same certificate in many places. */
export function parseOnce(): (pem: string) => ParsedCertificate | undefined {
  const known = new Map<string, ParsedCertificate | undefined>();
  return (pem) => {
    if (!known.has(pem)) known.set(pem, tryParse(pem));
    return known.get(pem);
  };
}

/** Each `CERTIFICATE` block of a bundle, in order, ready for {@link readCertificate}. */
export function splitPem(bundle: string): readonly string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\r?\n?/g) ?? [];
}

function readFacts(der: Uint8Array): CertificateFacts {
  const tbs = tbsFields(der);
  const spki = encode(tbs.spki);
  const subject = readName(tbs.subject);
  return {
    ...readExtensions(tbs.extensions),
    commonName: subject.commonName,
    organization: subject.organization,
    subject: subject.text,
    issuer: readName(tbs.issuer).text,
    subjectDer: encode(tbs.subject).toString('hex'),
    issuerDer: encode(tbs.issuer).toString('hex'),
    serial: content(tbs.serial).toString('hex'),
    notBefore: readTime(tbs.notBefore),
    notAfter: readTime(tbs.notAfter),
    algorithm: spkiAlgorithm(spki),
    signatureAlgorithm: signatureAlgorithmOf(readOid(tbs.signatureOid)),
    spkiSha256: spkiHash(spki),
    sha256: createHash('sha256').update(der).digest('hex'),
  };
}

/** The fields of TBSCertificate (RFC 5280, 4.1.1.1); {@link decode} has made sure that encoding them again gives the same octets. */
function tbsFields(der: Uint8Array) {
  const [tbs] = children(decode(der));
  const fields = tbs === undefined ? [] : children(tbs).filter((field) => !isContext(field, 0));
  const [serial, algorithm, issuer, validity, subject, spki, ...rest] = fields;
  if (!serial || !algorithm || !issuer || !validity || !subject || !spki) throw new Error('a field is missing');
  const [notBefore, notAfter] = children(validity);
  const [signatureOid] = children(algorithm);
  if (!notBefore || !notAfter || !signatureOid) throw new Error('a field is missing');
  const extensions = rest.find((field) => isContext(field, 3));
  return { serial, signatureOid, issuer, notBefore, notAfter, subject, spki, extensions: extensionList(extensions) };
}

function extensionList(field: Node | undefined): readonly Node[] {
  const list = field === undefined ? undefined : children(field)[0];
  return list === undefined ? [] : children(list);
}
