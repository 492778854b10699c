/** The words with which an untrusted host key is refused: what was shown, what is known, what to do. */
import type { SshTarget } from '../domain/controller.ts';
import type { QuorateError } from '../domain/errors.ts';
import { stageFailure } from './failure.ts';
import { fingerprint, type HostKeyVerdict, type KnownHost, keyTypeOf, knownHostsName } from './known-hosts.ts';

/** What to say to a verdict of known_hosts; undefined when the key is known. */
export function refusalOf(verdict: HostKeyVerdict, target: SshTarget, key: Buffer): QuorateError | undefined {
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

/** The refusal for a key that is not the pinned one (a fingerprint). */
export function pinMismatch(target: SshTarget, key: Buffer, wanted: string): QuorateError {
  return untrusted(
    `${endpoint(target)} shows ${describeKey(key)}, but the inventory pins ${wanted}`,
    `either somebody is in between, or the host was installed anew, or the pin is of another of its keys (a whole public key as hostKey makes it show that one): verify on the host before you change the pin`,
  );
}

/** The refusal for a host that shows a second key when it negotiates anew, after its first one was accepted as new. */
export function anotherKey(target: SshTarget, key: Buffer, first: Buffer): QuorateError {
  return untrusted(
    `${endpoint(target)} first showed ${describeKey(first)}, and now ${describeKey(key)}`,
    'somebody is in between: verify the host',
  );
}

/** The refusal for a pin that cannot be one. */
export function malformedPin(target: SshTarget): QuorateError {
  return untrusted(
    `the pinned host key of ${endpoint(target)} is neither SHA256:… nor a public key`,
    'pin what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host, or the whole line of that file',
  );
}

/** The refusal for a host that offers none of the key types known for it: whoever has its key would offer them. */
export function noKnownKeyType(target: SshTarget, types: readonly string[]): QuorateError {
  return untrusted(
    `${endpoint(target)} no longer offers a host key of a type known for it (${types.join(', ')})`,
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
