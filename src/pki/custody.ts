/** Custody of private keys: encrypted with age (age-encryption.org/v1) before they are stored, opened only in memory. */
import { buffer, text } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import { QuorateError } from '../domain/errors.ts';

/** What can encrypt and open the private keys of one cluster. */
export interface Custody {
  /** Everybody who can open what is encrypted, sorted: the identity's own recipients and those of the policy. */
  readonly recipients: readonly string[];
  /** Sentences for the operator, e.g. that a single identity opens everything. */
  readonly warnings: readonly string[];
  /** Armored age text (RFC 7468 style, so that it can live in git). */
  encrypt(plaintext: string): Promise<string>;
  /** Throws `refused` where no identity opens it. `what` names it in the message. */
  decrypt(armored: string, what: string): Promise<string>;
}

/**
 * Custody by age identities (`AGE-SECRET-KEY-1…` lines, at least one) that encrypts to their recipients and to `recipients`. Loads the age library.
 * `stored`: the identity lies in the store, behind a passphrase. Throws `refused` for an identity or recipient that age does not know.
 */
export async function openCustody(
  identities: readonly string[],
  recipients: readonly string[],
  { stored }: { readonly stored: boolean } = { stored: false },
): Promise<Custody> {
  const age = await import('age-encryption');
  const own = await Promise.all(identities.map((text) => orRefuse('identity', () => age.identityToRecipient(text))));
  const all = [...new Set([...own, ...recipients])].sort();
  const encrypter = new age.Encrypter();
  for (const recipient of all) await orRefuse(`recipient ${recipient}`, () => encrypter.addRecipient(recipient));
  const decrypter = new age.Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  return {
    recipients: all,
    warnings: all.length === 1 && !stored ? [singleRecipient] : [],
    // As streams: for whole texts age takes a Response, and with it loads all of fetch (30 ms).
    encrypt: async (plaintext) =>
      age.armor.encode(await buffer(await encrypter.encrypt(ReadableStream.from([Buffer.from(plaintext)])))),
    decrypt: (armored, what) =>
      openWith(what, async () => text(await decrypter.decrypt(ReadableStream.from([age.armor.decode(armored)])))),
  };
}

const singleRecipient =
  'a single age identity opens the keys of the certificate authorities: without it they are lost; keep a copy of it, or add a recipient to pki.recipients';

/** The cause is left out: a library's message may quote what it was given. */
async function orRefuse<T>(what: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch {
    throw new QuorateError('refused', `age does not accept the ${what}`);
  }
}

async function openWith(what: string, decrypt: () => Promise<string>): Promise<string> {
  try {
    return await decrypt();
  } catch {
    throw new QuorateError('refused', `${what}: your age identity does not open it`, {
      hint: 'name the identity that it was encrypted to with --identity FILE; after an interrupted certs ca rekey-custody, run that again',
    });
  }
}
