/** The shell that makes a member's private keys on the member, with what sshd brings or with openssl. */
import type { KeyAlgorithm } from '../domain/cluster.ts';
import { keyOwnership } from '../domain/generation.ts';
import { quote } from '../domain/shell-quote.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';

const sshKeygen = {
  'ecdsa-p256': '-t ecdsa -b 256',
  'ecdsa-p384': '-t ecdsa -b 384',
  'rsa-2048': '-t rsa -b 2048',
  'rsa-3072': '-t rsa -b 3072',
  'rsa-4096': '-t rsa -b 4096',
} as const satisfies Record<KeyAlgorithm, string>;

const openssl = {
  'ecdsa-p256': '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  'ecdsa-p384': '-algorithm EC -pkeyopt ec_paramgen_curve:P-384',
  'rsa-2048': '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
  'rsa-3072': '-algorithm RSA -pkeyopt rsa_keygen_bits:3072',
  'rsa-4096': '-algorithm RSA -pkeyopt rsa_keygen_bits:4096',
} as const satisfies Record<KeyAlgorithm, string>;

/** Of a key as it is made, by umask or by ssh-keygen itself. */
const MADE_WITH = '0600';

/**
 * Makes `PURPOSE.key` (PKCS#8 PEM) and `PURPOSE.pub` (SPKI PEM) in `directory` for every one of `purposes` that lacks one. A key that
 * exists is never overwritten; where only its public half is missing, that is made from it. The folder `.new` is of mode
 * 0700, so that a key is never readable before it has its owner and mode.
 */
export function keyScript(
  directory: string,
  algorithm: KeyAlgorithm,
  user: string,
  purposes: readonly LeafPurpose[] = leafPurposes,
): string {
  return `keys=${quote(directory)}
all='${purposes.join(' ')}'
rm -rf "$keys/.new"
mkdir -m 0700 "$keys/.new"
${makeKey(algorithm)}
${placeKeys}
umask 022
for each in $all; do make_key "$each"; done
${ownerships(purposes, user).join('\n')}
set -- "$keys/.new"/*
[ ! -e "$1" ] || sync "$@"
drop_stale
place_all key
place_all pub
rm -rf "$keys/.new"
sync "$keys"`;
}

/** A new key is `PURPOSE.key`; one that is there already is copied under another name, for its public half. */
function makeKey(algorithm: KeyAlgorithm): string {
  return `make_key() {
  [ ! -f "$keys/$1.key" ] || [ ! -f "$keys/$1.pub" ] || return 0
  k="$keys/.new/$1.key"
  [ ! -f "$keys/$1.key" ] || k="$keys/.new/$1.old"
  if command -v ssh-keygen >/dev/null 2>&1; then
    if [ -f "$keys/$1.key" ]; then
      (umask 077; cat "$keys/$1.key" > "$k")
      ssh-keygen -y -f "$k" > "$k.pub" </dev/null
    else
      ssh-keygen -q ${sshKeygen[algorithm]} -m PKCS8 -N '' -C '' -f "$k" </dev/null
    fi
    ssh-keygen -e -m PKCS8 -f "$k.pub" > "$keys/.new/$1.pub"
  else
    if [ -f "$keys/$1.key" ]; then (umask 077; cat "$keys/$1.key" > "$k")
    else (umask 077; openssl genpkey ${openssl[algorithm]} -out "$k" 2>/dev/null); fi
    openssl pkey -in "$k" -pubout -out "$keys/.new/$1.pub"
  fi
}`;
}

/** Few programs for all keys together: starting one costs more than what it does. */
const placeKeys = `own_keys() {
  owner=$1 mode=$2
  shift 2
  for each; do
    shift
    [ ! -f "$keys/.new/$each.key" ] || set -- "$@" "$keys/.new/$each.key"
  done
  [ $# -gt 0 ] || return 0
  chown "$owner" "$@"
  [ "$mode" = ${MADE_WITH} ] || chmod "$mode" "$@"
}
# A public half of an earlier key beside the new one would pass for its own.
drop_stale() {
  set --
  for each in $all; do
    if [ -f "$keys/.new/$each.key" ] && [ -f "$keys/$each.pub" ]; then set -- "$@" "$keys/$each.pub"; fi
  done
  [ $# -eq 0 ] || { rm -f "$@"; sync "$keys"; }
}
place_all() {
  end=$1
  set --
  for each in $all; do
    [ ! -f "$keys/.new/$each.$end" ] || set -- "$@" "$keys/.new/$each.$end"
  done
  [ $# -eq 0 ] || mv -f "$@" "$keys"
}`;

/** One call for each owner and mode, with the keys that are to have them. */
function ownerships(purposes: readonly LeafPurpose[], user: string): readonly string[] {
  const calls = new Map<string, LeafPurpose[]>();
  for (const purpose of purposes) {
    const { mode, owner, group } = keyOwnership(purpose, user);
    const call = `own_keys ${quote(`${owner}:${group}`)} ${mode}`;
    calls.set(call, [...(calls.get(call) ?? []), purpose]);
  }
  return [...calls].map(([call, names]) => `${call} ${names.join(' ')}`);
}
