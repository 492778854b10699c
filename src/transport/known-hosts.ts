/** OpenSSH's known_hosts format (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): parsing, matching, judging. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly revoked: boolean;
  /** The hosts field as it stands: patterns with commas, or one hashed name. */
  readonly hosts: string;
  readonly keyType: string;
  /** The public key in SSH wire format (RFC 4253, 6.6). */
  readonly key: Buffer;
}

/** What known_hosts says about a key that a host showed. */
export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'changed'; readonly known: KnownHost }
  | { readonly kind: 'revoked'; readonly known: KnownHost };

/**
 * The plain and `@revoked` lines of a file. Comments, malformed lines, unknown markers and `@cert-authority` are left
 * out: what they vouch for stays unknown.
 */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, file, index + 1));
}

/** The name under which known_hosts lists an address: bare for port 22, `[address]:port` otherwise; lower case. */
export function knownHostsName(address: string, port: number): string {
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Whether a line speaks about a name of {@link knownHostsName}. */
export function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, name));
}

/**
 * Judges a key by the lines that match the host. `portless` are the lines that match its bare address, which OpenSSH
 * also accepts, but only when nothing is said about the port (sshconnect.c, "checking without port identifier").
 */
export function judgeHostKey(
  key: Buffer,
  matching: readonly KnownHost[],
  portless: readonly KnownHost[],
): HostKeyVerdict {
  const same = (entry: KnownHost): boolean => entry.key.equals(key);
  const revoked = [...matching, ...portless].find((entry) => entry.revoked && same(entry));
  if (revoked !== undefined) return { kind: 'revoked', known: revoked };
  const plain = matching.filter((entry) => !entry.revoked);
  if (plain.some(same)) return { kind: 'known' };
  const type = keyTypeOf(key);
  const other = plain.find((entry) => entry.keyType === type) ?? plain[0];
  if (other !== undefined) return { kind: 'changed', known: other };
  return portless.some((entry) => !entry.revoked && same(entry)) ? { kind: 'known' } : { kind: 'unknown' };
}

/** The algorithm name at the front of a public key in wire format; undefined when there is none. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const end = 4 + key.readUInt32BE(0);
  return end > 4 && end <= key.length ? key.toString('latin1', 4, end) : undefined;
}

/** `SHA256:…`, as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The key of `TYPE BASE64`, when the two agree; undefined otherwise. */
export function decodePublicKey(type: string, base64: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = Buffer.from(base64, 'base64');
  return keyTypeOf(key) === type ? key : undefined;
}

function parseLine(text: string, file: string, line: number): readonly KnownHost[] {
  const words = text.trim().split(/[ \t]+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [hosts, keyType, base64] = words;
  if (hosts === undefined || hosts.startsWith('#') || keyType === undefined || base64 === undefined) return [];
  if (marker !== undefined && marker !== '@revoked') return [];
  const key = decodePublicKey(keyType, base64);
  return key === undefined ? [] : [{ file, line, revoked: marker === '@revoked', hosts, keyType, key }];
}

function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  const expected = Buffer.from(hash, 'base64');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}
