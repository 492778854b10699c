/** Whether a host is the one it claims to be: the pinned key or known_hosts decides, before any login. */
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import type { SshTarget } from '../domain/controller.ts';
import type { QuorateError } from '../domain/errors.ts';
import { messageOf, stageFailure, systemCode } from './failure.ts';
import {
  decodePublicKey,
  fingerprint,
  type HostKeyVerdict,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostsName,
  matchesHost,
  parseKnownHosts,
} from './known-hosts.ts';

/** What is known about one host before it has shown a key. */
export interface HostKeyCheck {
  /** What to negotiate: only the types that are known, so that a host's other keys don't look new. */
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** Undefined when the key is accepted; otherwise the refusal, an `untrusted` error that does not name the host. */
  judge(key: Buffer): QuorateError | undefined;
  /** Writes a new key that {@link judge} accepted; does nothing when there is none. Called once the host has proved that it holds the key. */
  record(): Promise<void>;
}

/** The host keys known to this run: each known_hosts file is read once, and new keys are appended one after the other. */
export interface HostKeys {
  /** Throws an `untrusted` QuorateError for a malformed pin or an unreadable known_hosts file. */
  checkFor(target: SshTarget): Promise<HostKeyCheck>;
}

/** Host keys by pin or known_hosts; with `acceptNew`, unknown keys (never changed ones) are accepted and written down. */
export function createHostKeys(acceptNew: boolean): HostKeys {
  const files = new Map<string, Promise<readonly KnownHost[]>>();
  let writing: Promise<void> = Promise.resolve();

  const entriesOf = (file: string): Promise<readonly KnownHost[]> => {
    const entries = files.get(file) ?? readKnownHosts(file);
    files.set(file, entries);
    return entries;
  };
  const write = (file: string, line: string): Promise<void> => {
    const written = writing.then(() => appendLine(file, line));
    writing = written.catch(() => undefined);
    return written;
  };

  return {
    async checkFor(target) {
      if (target.hostKey !== undefined) return checkPin(target, target.hostKey);
      const entries = (await Promise.all(target.knownHostsFiles.map(entriesOf))).flat();
      return checkKnownHosts(target, entries, acceptNew ? write : undefined);
    },
  };
}

type WriteLine = (file: string, line: string) => Promise<void>;

function checkPin(target: SshTarget, pin: string): HostKeyCheck {
  const [type = '', base64 = ''] = pin.trim().split(/\s+/);
  const pinned = type.startsWith('SHA256:') ? undefined : decodePublicKey(type, base64);
  if (pinned === undefined && !/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(type)) {
    throw stageFailure('host key', `the pinned host key of ${endpoint(target)} is neither SHA256:… nor a public key`, {
      code: 'untrusted',
      hint: 'pin what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host, or the whole line of that file',
    });
  }
  const wanted = pinned === undefined ? type.replace(/=$/, '') : fingerprint(pinned);
  return {
    algorithms: algorithmsFor(pinned === undefined ? [] : [type]),
    judge: (key) => (fingerprint(key) === wanted ? undefined : pinMismatch(target, key, wanted)),
    record: () => Promise.resolve(),
  };
}

function checkKnownHosts(target: SshTarget, entries: readonly KnownHost[], write: WriteLine | undefined): HostKeyCheck {
  const name = knownHostsName(target.address, target.port);
  const bare = target.address.toLowerCase();
  const matching = entries.filter((entry) => matchesHost(entry.hosts, name));
  const portless = name === bare ? [] : entries.filter((entry) => matchesHost(entry.hosts, bare));
  const plain = [matching, portless].map((list) => list.filter((entry) => !entry.revoked)).find((list) => list.length);
  const [file] = target.knownHostsFiles;
  let accepted: Buffer | undefined;
  return {
    algorithms: algorithmsFor((plain ?? []).map((entry) => entry.keyType)),
    judge(key) {
      const verdict = judgeHostKey(key, matching, portless);
      if (verdict.kind !== 'unknown' || write === undefined || file === undefined) {
        return refusalOf(verdict, target, key);
      }
      accepted = key;
      return undefined;
    },
    async record() {
      if (accepted === undefined || write === undefined || file === undefined) return;
      await write(file, `${name} ${keyTypeOf(accepted)} ${accepted.toString('base64')}\n`);
      accepted = undefined;
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

function algorithmsFor(types: readonly string[]): readonly ServerHostKeyAlgorithm[] {
  const known = Object.entries(algorithmsOf).filter(([type]) => types.includes(type));
  return (known.length > 0 ? known : Object.entries(algorithmsOf)).flatMap(([, algorithms]) => algorithms);
}

function refusalOf(verdict: HostKeyVerdict, target: SshTarget, key: Buffer): QuorateError | undefined {
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'unknown':
      return unknownKey(target, key);
    case 'changed':
      return changedKey(target, key, verdict.known);
    case 'revoked':
      return untrusted(
        `the host key of ${endpoint(target)} is revoked: ${describeKey(key)} (${place(verdict.known)})`,
        'the owner of this known_hosts file has declared the key compromised: give the host a new key',
      );
  }
}

function unknownKey(target: SshTarget, key: Buffer): QuorateError {
  const [file] = target.knownHostsFiles;
  const pin = `compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then pin it in the inventory (hostKey: "${fingerprint(key)}")`;
  const accept =
    file === undefined
      ? 'or name a known_hosts file in the inventory and run again with --accept-new-host-keys'
      : `or run again with --accept-new-host-keys, which adds it to ${file}`;
  return untrusted(`the host key of ${endpoint(target)} is not known: ${describeKey(key)}`, `${pin}, ${accept}`);
}

function changedKey(target: SshTarget, key: Buffer, known: KnownHost): QuorateError {
  return untrusted(
    `the host key of ${endpoint(target)} has changed: it shows ${describeKey(key)}, but ${place(known)} has ${describeKey(known.key)}`,
    `either somebody is in between, or the host was installed anew: only if you know why it changed, delete line ${known.line} of ${known.file} and verify the new key`,
  );
}

function pinMismatch(target: SshTarget, key: Buffer, wanted: string): QuorateError {
  return untrusted(
    `${endpoint(target)} shows ${describeKey(key)}, but the inventory pins ${wanted}`,
    `either somebody is in between, or the host was installed anew, or the pin is of another of its keys (a whole public key as hostKey makes it show that one): verify on the host before you change the pin`,
  );
}

/** The refusal for a host that offers none of the key types known for it: whoever has its key would offer them. */
export function noKnownKeyType(target: SshTarget, check: HostKeyCheck): QuorateError {
  return untrusted(
    `${endpoint(target)} no longer offers a host key of a type known for it (${check.algorithms.join(', ')})`,
    'either somebody is in between, or the host was installed anew: verify its key, then replace its known_hosts lines or its pin',
  );
}

function untrusted(message: string, hint: string): QuorateError {
  return stageFailure('host key', message, { code: 'untrusted', hint });
}

function endpoint(target: SshTarget): string {
  return knownHostsName(target.address, target.port);
}

function describeKey(key: Buffer): string {
  return `${keyTypeOf(key) ?? 'unreadable key'} ${fingerprint(key)}`;
}

function place(entry: KnownHost): string {
  return `${entry.file}:${entry.line}`;
}

async function readKnownHosts(file: string): Promise<readonly KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw stageFailure('host key', `known_hosts file cannot be read: ${messageOf(error)}`, {
      code: 'untrusted',
      cause: error,
    });
  }
}

/** One write with O_APPEND, so that lines of several processes never mix; a last line without its end is ended first. */
async function appendLine(file: string, line: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      const last = size === 0 ? '\n' : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString('latin1');
      await handle.write(last === '\n' ? line : `\n${line}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw stageFailure('host key', `the new host key cannot be written: ${messageOf(error)}`, {
      code: 'untrusted',
      cause: error,
      hint: 'make the file writable, or pin the key in the inventory (hostKey:)',
    });
  }
}
