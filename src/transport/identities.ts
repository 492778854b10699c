/** Private key files of the operator, parsed and decrypted once for all hosts (bcrypt in JavaScript takes ~280 ms a key). */
import { readFile } from 'node:fs/promises';
import type { ParsedKey, utils } from 'ssh2';
import { isSystemError } from '../domain/system-error.ts';
import { messageOf } from './failure.ts';
import type { FindSecret } from './secrets.ts';

/** A usable private key, or the reason why a file gives none. */
type Identity = { readonly key: ParsedKey } | { readonly unusable: string };

/** Loads a key file; `passphraseEnv` names the variable with its passphrase. */
export type LoadIdentity = (file: string, passphraseEnv: string | undefined) => Promise<Identity>;

/** A loader that remembers every file. `parseKey` is ssh2's, which is imported lazily. */
export function createIdentities(parseKey: typeof utils.parseKey, findSecret: FindSecret): LoadIdentity {
  const loaded = new Map<string, Promise<Identity>>();
  return (file, passphraseEnv) => {
    const key = JSON.stringify([file, passphraseEnv]);
    const identity = loaded.get(key) ?? loadIdentity(file, passphraseEnv, { parseKey, findSecret });
    loaded.set(key, identity);
    return identity;
  };
}

async function loadIdentity(
  file: string,
  passphraseEnv: string | undefined,
  { parseKey, findSecret }: { readonly parseKey: typeof utils.parseKey; readonly findSecret: FindSecret },
): Promise<Identity> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { unusable: isSystemError(error, 'ENOENT') ? 'not found' : messageOf(error) };
  }
  const plain = firstKey(parseKey(text));
  if (!(plain instanceof Error)) return privateOnly(plain);
  if (!/encrypted|passphrase/i.test(plain.message)) return { unusable: 'not a private key that can be read' };
  const passphrase = await findSecret(passphraseEnv, `Passphrase of ${file}`);
  if (passphrase === undefined) return { unusable: noPassphrase(passphraseEnv) };
  const decrypted = firstKey(parseKey(text, passphrase));
  return decrypted instanceof Error ? { unusable: 'its passphrase is wrong' } : privateOnly(decrypted);
}

function noPassphrase(passphraseEnv: string | undefined): string {
  const missing =
    passphraseEnv === undefined ? 'passphraseEnv is not set in the inventory' : `${passphraseEnv} is not set`;
  return `needs a passphrase, but ${missing} and there is no terminal to ask on`;
}

/** Some formats give a list (@types/ssh2 does not say so). */
function firstKey(parsed: ParsedKey | Error | readonly ParsedKey[]): ParsedKey | Error {
  if (!isList(parsed)) return parsed;
  return parsed[0] ?? new Error('no key inside');
}

function isList(parsed: ParsedKey | Error | readonly ParsedKey[]): parsed is readonly ParsedKey[] {
  return Array.isArray(parsed);
}

function privateOnly(key: ParsedKey): Identity {
  return key.isPrivateKey() ? { key } : { unusable: 'a public key; name the private one' };
}
