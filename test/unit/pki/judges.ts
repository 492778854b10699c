/** Judges that are not our own code: openssl and GnuTLS's certtool, each skipped by name where it is not installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOpenssl = installed('openssl', ['version']);
export const hasCerttool = installed('certtool', ['--version']);
export const hasAge = installed('age', ['--version']);
export const hasSshKeygen = installed('ssh-keygen', ['-?']);

/** Names that a leaf is asked for, what stands behind it, and when (epoch milliseconds; default: now). */
interface Asked {
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly untrusted?: string;
  readonly at?: number;
}

/** What `openssl verify -x509_strict` says about a leaf below a bundle of authorities, for a purpose and the names given; '' when it is content. */
export function opensslVerify(leaf: string, ca: string, purpose: 'sslserver' | 'sslclient', names: Asked = {}): string {
  const flags = [
    ...(names.dns ?? []).map((name) => ['-verify_hostname', name]),
    ...(names.ip ?? []).map((address) => ['-verify_ip', address]),
  ];
  return inFolder({ 'leaf.crt': leaf, 'ca.crt': ca, 'chain.crt': names.untrusted ?? '' }, (folder) => {
    const behind = (names.untrusted ?? '') === '' ? [] : ['-untrusted', join(folder, 'chain.crt')];
    const at = names.at === undefined ? [] : ['-attime', String(Math.floor(names.at / 1000))];
    const each = flags.length === 0 ? [[]] : flags;
    return each
      .map((flag) => {
        const base = [
          'verify',
          '-x509_strict',
          '-purpose',
          purpose,
          '-CAfile',
          join(folder, 'ca.crt'),
          ...behind,
          ...at,
        ];
        const result = spawnSync('openssl', [...base, ...flag, join(folder, 'leaf.crt')], { encoding: 'utf8' });
        return result.status === 0 ? '' : `${flag.join(' ')}: ${result.stderr}`;
      })
      .join('');
  });
}

/** What `certtool --verify` with the medium profile says; '' when it is content. */
export function certtoolVerify(leaf: string, ca: string): string {
  return inFolder({ 'leaf.crt': leaf, 'ca.crt': ca }, (folder) => {
    const files = ['--infile', join(folder, 'leaf.crt'), '--load-ca-certificate', join(folder, 'ca.crt')];
    const result = spawnSync('certtool', ['--verify', '--verify-profile', 'medium', ...files], { encoding: 'utf8' });
    return result.status === 0 ? '' : result.stdout + result.stderr;
  });
}

/** `openssl asn1parse` of a certificate. */
export function asn1Dump(pem: string): string {
  return execFileSync('openssl', ['asn1parse', '-i'], { input: pem, encoding: 'utf8' });
}

export function inFolder<T>(files: Readonly<Record<string, string>>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-pki-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function installed(program: string, args: readonly string[]): boolean {
  return spawnSync(program, [...args], { stdio: 'ignore' }).error === undefined;
}
