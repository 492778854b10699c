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
  const calls = purposes.map((purpose) => {
    const { mode, owner, group } = keyOwnership(purpose, user);
    return `make_key ${purpose} ${quote(owner)} ${quote(group)} ${mode}`;
  });
  const places = purposes.map((purpose) => `place_key ${purpose}`);
  return `keys=${quote(directory)}
rm -rf "$keys/.new"
mkdir -m 0700 "$keys/.new"
make_key() {
  [ ! -f "$keys/$1.key" ] || [ ! -f "$keys/$1.pub" ] || return 0
  k="$keys/.new/$1"
  if command -v ssh-keygen >/dev/null 2>&1; then
    if [ -f "$keys/$1.key" ]; then
      cat "$keys/$1.key" > "$k"
      chmod 0600 "$k"
      ssh-keygen -y -f "$k" > "$k.pub" </dev/null
    else
      ssh-keygen -q ${sshKeygen[algorithm]} -m PKCS8 -N '' -C '' -f "$k" </dev/null
    fi
    ssh-keygen -e -m PKCS8 -f "$k.pub" > "$k.spki"
  else
    if [ -f "$keys/$1.key" ]; then cat "$keys/$1.key" > "$k"
    else (umask 077; openssl genpkey ${openssl[algorithm]} -out "$k" 2>/dev/null); fi
    openssl pkey -in "$k" -pubout -out "$k.spki"
  fi
  chown "$2:$3" "$k"
  chmod "$4" "$k"
  made=1
}
place_key() {
  k="$keys/.new/$1"
  [ -f "$k.spki" ] || return 0
  # A public half of an earlier key beside the new one would pass for its own.
  if [ ! -f "$keys/$1.key" ]; then
    [ ! -f "$keys/$1.pub" ] || { rm -f "$keys/$1.pub"; sync "$keys"; }
    mv -T "$k" "$keys/$1.key"
  fi
  mv -fT "$k.spki" "$keys/$1.pub"
}
made=
umask 022
${calls.join('\n')}
[ -z "$made" ] || sync "$keys/.new"/*
${places.join('\n')}
rm -rf "$keys/.new"
sync "$keys"`;
}
