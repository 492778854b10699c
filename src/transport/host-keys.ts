/** Whether a host is the one it claims to be: the pinned key or known_hosts decides, before any login. */
import type { ServerHostKeyAlgorithm } from 'ssh2';
import type { SshTarget } from '../domain/controller.ts';
import type { QuorateError } from '../domain/errors.ts';
import { anotherKey, malformedPin, pinMismatch, refusalOf } from './host-key-refusals.ts';
import {
  decodePublicKey,
  fingerprint,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostsName,
  matchesHost,
} from './known-hosts.ts';
import { appendKnownHost, readKnownHosts } from './known-hosts-file.ts';

/** What is known about one host before it has shown a key. */
export interface HostKeyCheck {
  /** What to negotiate: only the types that are known, so that a host's other keys don't look new. */
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** Undefined when the key is accepted; otherwise the refusal, an `untrusted` error that does not name the host. */
  judge(key: Buffer): QuorateError | undefined;
  /** Writes a new key that {@link judge} accepted; does nothing when there is none. Called once the host has proved that it holds the key. */
  record(): Promise<void>;
}

/** The host keys known to this run: each known_hosts file is read once. */
export interface HostKeys {
  /** Throws an `untrusted` QuorateError for a malformed pin or an unreadable known_hosts file. */
  checkFor(target: SshTarget): Promise<HostKeyCheck>;
}

/** Host keys by pin or known_hosts; with `acceptNew`, unknown keys (never changed ones) are accepted and written down. */
export function createHostKeys(acceptNew: boolean): HostKeys {
  const files = new Map<string, Promise<readonly KnownHost[]>>();

  const entriesOf = (file: string): Promise<readonly KnownHost[]> => {
    const entries = files.get(file) ?? readKnownHosts(file);
    files.set(file, entries);
    return entries;
  };

  return {
    async checkFor(target) {
      if (target.hostKey !== undefined) return checkPin(target, target.hostKey);
      const entries = (await Promise.all(target.knownHostsFiles.map(entriesOf))).flat();
      return checkKnownHosts(target, entries, acceptNew);
    },
  };
}

function checkPin(target: SshTarget, pin: string): HostKeyCheck {
  const [type = '', base64 = ''] = pin.trim().split(/\s+/);
  const pinned = type.startsWith('SHA256:') ? undefined : decodePublicKey(type, base64);
  if (pinned === undefined && !/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(type)) {
    throw malformedPin(target);
  }
  const wanted = pinned === undefined ? type.replace(/=$/, '') : fingerprint(pinned);
  return {
    algorithms: algorithmsFor(pinned === undefined ? [] : [type]),
    judge: (key) => (fingerprint(key) === wanted ? undefined : pinMismatch(target, key, wanted)),
    record: () => Promise.resolve(),
  };
}

function checkKnownHosts(target: SshTarget, entries: readonly KnownHost[], acceptNew: boolean): HostKeyCheck {
  const name = knownHostsName(target.address, target.port);
  const bare = target.address.toLowerCase();
  const matching = entries.filter((entry) => matchesHost(entry.hosts, name));
  const portless = name === bare ? [] : entries.filter((entry) => matchesHost(entry.hosts, bare));
  const [file] = target.knownHostsFiles;
  let accepted: Buffer | undefined;
  let recorded = false;
  return {
    algorithms: algorithmsFor(typesOf(matching), typesOf(portless)),
    judge(key) {
      if (accepted !== undefined) return accepted.equals(key) ? undefined : anotherKey(target, key, accepted);
      const verdict = judgeHostKey(key, matching, portless);
      if (verdict.kind !== 'unknown' || !acceptNew || file === undefined) {
        return refusalOf(verdict, target, key);
      }
      accepted = key;
      return undefined;
    },
    async record() {
      if (recorded || accepted === undefined || file === undefined) return;
      recorded = true;
      await appendKnownHost(file, `${name} ${keyTypeOf(accepted)} ${accepted.toString('base64')}\n`);
    },
  };
}

const algorithmsOf: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

function typesOf(entries: readonly KnownHost[]): readonly string[] {
  return entries.filter((entry) => !entry.revoked).map((entry) => entry.keyType);
}

/** Only the known types; where none is known, all of them, the preferred ones first. */
function algorithmsFor(known: readonly string[], preferred: readonly string[] = []): readonly ServerHostKeyAlgorithm[] {
  const types = Object.keys(algorithmsOf);
  const usable = types.filter((type) => known.includes(type));
  const first = types.filter((type) => preferred.includes(type));
  const wanted = usable.length > 0 ? usable : [...first, ...types.filter((type) => !first.includes(type))];
  return wanted.flatMap((type) => algorithmsOf[type] ?? []);
}
