/** Rules for single values of an inventory. Each is given text and answers what is wrong with it, and what would be right. */
import { hazardIds } from '../domain/hazards.ts';
import { nearest } from '../domain/nearest.ts';
import { knownMinor, minors, parseVersion } from '../domain/version.ts';
import { isDnsName, parseIp } from './address.ts';

/** A predicate for the value at hand (`is no port`) and the remedy; read as `VALUE problem (remedy)`. */
export interface Flaw {
  readonly problem: string;
  readonly remedy: string;
}

export interface ValueRule {
  /** What is wrong with the text; undefined when it is right. */
  readonly check: (text: string) => Flaw | undefined;
  /** For editors: a regular expression that every right text matches; it may let more through. */
  readonly pattern: string;
  /** The value may be a secret written in the wrong place: never show it. */
  readonly secret?: boolean;
}

const label = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const labelPattern = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';

/** Cluster and controller names: one DNS label, since they become host names, SANs and folders. */
export const nameRule: ValueRule = {
  pattern: labelPattern,
  check: (text) => {
    if (text === 'operator') return flaw('means the machine that quorate runs on', 'write another name: operator-1');
    if (text.length > 63) return flaw(`has ${text.length} characters`, 'write at most 63');
    return label.test(text)
      ? undefined
      : flaw('is no name', 'write lower-case letters, digits and inner hyphens: controller-1');
  },
};

/** An IP address or a DNS name that can be dialled. */
export const addressRule: ValueRule = { pattern: '[0-9a-zA-Z.:-]+', check: checkAddress };

/** An IP address that a machine can have. */
export const ipRule: ValueRule = {
  pattern: '[0-9a-fA-F.:]+',
  check: (text) =>
    isDnsName(text) && parseIp(text) === undefined
      ? flaw('is a name, and etcd binds IP addresses only', 'write an IP address: 10.0.0.1 or fd00::1')
      : (checkAddress(text) ?? undefined),
};

/** An IP address to bind: those of {@link ipRule} and the two that mean all. */
export const listenRule: ValueRule = {
  pattern: '[0-9a-fA-F.:]+',
  check: (text) => {
    if (text === '0.0.0.0' || text === '::') return undefined;
    if (parseIp(text)?.kind !== 'loopback') return ipRule.check(text);
    return flaw('is loopback, where etcd listens anyway', 'delete it');
  },
};

/** A subject alternative name: IP, DNS name, or `*.` and a DNS name. */
export const sanRule: ValueRule = {
  pattern: '[0-9a-zA-Z.:*-]+',
  check: (text) => (text.startsWith('*.') && isDnsName(text.slice(2)) ? undefined : checkAddress(text)),
};

/** An account that is logged in to: sent to sshd, never to a shell. */
export const loginRule: ValueRule = {
  pattern: '[A-Za-z_][A-Za-z0-9._@-]{0,63}',
  check: (text) =>
    /^[A-Za-z_][A-Za-z0-9._@-]{0,63}$/.test(text) ? undefined : flaw('is no user name', 'write a login name: root'),
};

/** The account that etcd runs as. */
export const accountRule: ValueRule = {
  pattern: '[a-z_][a-z0-9_-]{0,30}',
  check: (text) => {
    if (text === 'root') return flaw('may read and write everything, which etcd must not', 'write etcd');
    return /^[a-z_][a-z0-9_-]{0,30}$/.test(text)
      ? undefined
      : flaw('is no name for a system account', 'write lower-case letters, digits, _ and -, at most 31: etcd');
  },
};

const vitalUnit =
  /^(systemd-.*|dbus(-.*)?|sshd?|network(ing|manager)?|getty|cron|rsyslog|init|rescue|emergency)\.service$/i;

/** A systemd service unit of its own. */
export const unitRule: ValueRule = {
  pattern: '[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\\.service',
  check: (text) => {
    if (vitalUnit.test(text)) return flaw('belongs to the system', 'write a name of its own: etcd.service');
    return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\.service$/.test(text)
      ? undefined
      : flaw('is no name of a service unit', 'write letters, digits, _, . and - before .service: etcd.service');
  },
};

/** The name of an environment variable that holds a secret. People write the secret itself here: it is never shown. */
export const variableRule: ValueRule = {
  pattern: '[A-Za-z_][A-Za-z0-9_]{0,127}',
  secret: true,
  check: (text) =>
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text)
      ? undefined
      : flaw('is no name of an environment variable', 'write a name: SSH_PASSWORD; no secret stands in an inventory'),
};

/** The key that a host must show: a fingerprint or the whole public key. */
export const hostKeyRule: ValueRule = {
  pattern: '(SHA256:[A-Za-z0-9+/]{43}|(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2})',
  check: (text) =>
    new RegExp(`^${hostKeyRule.pattern}$`).test(text)
      ? undefined
      : flaw('is no host key', 'write SHA256:… or ssh-ed25519 AAAA…, as ssh-keyscan HOST | ssh-keygen -lf - prints it'),
};

/** An https (or http) address of a mirror, without credentials (which is why it is never shown), query and fragment. */
export const urlRule: ValueRule = {
  secret: true,
  pattern: 'https?://[A-Za-z0-9.:\\[\\]-]+(/[A-Za-z0-9._~/%+-]*)?',
  check: (text) =>
    new RegExp(`^${urlRule.pattern}$`).test(text) && URL.canParse(text)
      ? undefined
      : flaw(
          'is no address of a mirror',
          'write http(s)://HOST/PATH without user, password, ? and #: https://mirror.example.org/etcd',
        ),
};

/** sha256 in hexadecimal. */
export const sha256Rule: ValueRule = {
  pattern: '[0-9a-fA-F]{64}',
  check: (text) =>
    /^[0-9a-fA-F]{64}$/.test(text) ? undefined : flaw('is no sha256', 'write the 64 hexadecimal digits of sha256sum'),
};

/** An etcd release of a minor that quorate knows. */
export const versionRule: ValueRule = {
  pattern: '3\\.[4-7]\\.[0-9]{1,4}',
  check: (text) => {
    if (/^v\d/.test(text)) return flaw('begins with v', `write ${text.slice(1)}`);
    if (!/^\d+\.\d+\.\d+$/.test(text) || parseVersion(text) === undefined) {
      return flaw('is no release of etcd', 'write it in full: 3.6.16');
    }
    const known = `${minors[0]} to ${minors[minors.length - 1]}`;
    return knownMinor(text) === undefined
      ? flaw(`is of a minor that quorate does not know`, `write a release of ${known}: 3.6.16`)
      : undefined;
  },
};

/** The ID of a known hazard. */
export const hazardRule: ValueRule = {
  pattern: hazardIds.join('|'),
  check: (text) => {
    if (hazardIds.includes(text)) return undefined;
    const near = nearest(text, hazardIds);
    return flaw('is no known hazard', near === undefined ? `known: ${hazardIds.join(', ')}` : `did you mean ${near}?`);
  },
};

/** An age recipient (X25519, post-quantum or plugin). */
export const recipientRule: ValueRule = {
  pattern: 'age1[0-9a-z]{20,4000}',
  check: (text) => {
    if (/^AGE-SECRET-KEY-/i.test(text)) {
      return flaw('is a secret identity, not a recipient', 'write the age1… line of age-keygen -y FILE');
    }
    return /^age1[0-9a-z]{20,4000}$/.test(text)
      ? undefined
      : flaw('is no age recipient', 'write age1…, as age-keygen -y FILE prints it');
  },
  secret: true,
};

/** Organisation in certificates' subjects; X.520 allows 64 characters. */
export const organizationRule: ValueRule = {
  pattern: '[^\\u0000-\\u001f\\u007f]{0,64}',
  check: (text) =>
    /^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]{0,64}$/u.test(text)
      ? undefined
      : flaw('cannot be an organisation', 'write one line of at most 64 characters'),
};

function checkAddress(text: string): Flaw | undefined {
  const ip = parseIp(text);
  if (ip !== undefined) return flawOfIp(ip.kind);
  if (/^\[.*\]$/.test(text)) return flaw('has brackets', 'write an IPv6 address without them: fd00::1');
  if (text.includes('%')) return flaw('has a zone, which certificates cannot name', 'write a global or ULA address');
  if (/^[^:]+:\d+$/.test(text)) return flaw('has a port', 'write the address alone, and the port as ssh.port or ports');
  if (text.includes('://')) return flaw('is a URL', 'write the host alone: 10.0.0.1 or host.example.org');
  if (text.endsWith('.') && isDnsName(text.slice(0, -1))) return flaw('ends in a dot', 'write it without');
  if (/^[\d.]+$/.test(text)) return flaw('is no IP address', 'write four numbers of 0 to 255: 10.0.0.1');
  return isDnsName(text)
    ? undefined
    : flaw('is no IP address or DNS name', 'write 10.0.0.1, fd00::1 or host.example.org');
}

function flawOfIp(kind: string): Flaw | undefined {
  switch (kind) {
    case 'unspecified':
      return flaw('is no address that can be dialled', 'write the address of the host');
    case 'link-local':
      return flaw('is link-local: it needs a zone, which certificates cannot name', 'write a global or ULA address');
    case 'multicast':
      return flaw('is a multicast, reserved or broadcast address', 'write the address of the host');
    case 'mapped':
      return flaw('is an IPv4 address in IPv6 dress', 'write the IPv4 address');
    default:
      return undefined;
  }
}

export function flaw(problem: string, remedy: string): Flaw {
  return { problem, remedy };
}
