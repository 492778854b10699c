/** Authorities and certificates made by openssl, as somebody else would make them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Made {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Making {
  readonly subject?: string;
  /** Lines of an extension section. */
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly key?: readonly string[];
  readonly digest?: string;
  readonly issuer?: Made;
  /** A request of somebody else that the certificate is for; '' for none. */
  readonly request?: string;
  /** SPKI PEM of a key that somebody else has: the certificate is for that one. */
  readonly publicKey?: string;
}

export const authorityExtensions = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid',
];

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** A certificate, self-signed without an issuer. */
export function opensslMade(making: Making = {}): Made {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-made-'));
  try {
    return madeIn(folder, making);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function madeIn(folder: string, making: Making): Made {
  const { subject = '/O=Elsewhere/CN=their CA', extensions = authorityExtensions, days = 3650 } = making;
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', [...args], { stdio: 'pipe' });
  };
  openssl('genpkey', ...(making.key ?? p256), '-out', file('key'));
  if (!making.request) openssl('req', '-new', '-key', file('key'), '-subj', subject, '-out', file('csr'));
  else writeFileSync(file('csr'), making.request);
  writeFileSync(file('ext'), `${extensions.join('\n')}\n`);
  const digest = `-${making.digest ?? 'sha256'}`;
  const { publicKey } = making;
  if (publicKey !== undefined) writeFileSync(file('pub'), publicKey);
  const forced = publicKey === undefined ? [] : ['-force_pubkey', file('pub')];
  const base = ['x509', '-req', '-in', file('csr'), '-days', String(days), digest, ...forced, '-out', file('crt')];
  const ext = extensions.length === 0 ? [] : ['-extfile', file('ext')];
  if (making.issuer === undefined) openssl(...base, ...ext, '-signkey', file('key'));
  else {
    writeFileSync(file('ca.crt'), making.issuer.certificate);
    writeFileSync(file('ca.key'), making.issuer.key);
    openssl(...base, ...ext, '-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial');
  }
  return { certificate: readFileSync(file('crt'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
}
