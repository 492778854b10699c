/** Age identities that a passphrase protects (age's scrypt recipient): as `age -p` writes them, and as `age -d -i FILE` takes them. */
import { QuorateError } from '../domain/errors.ts';

/** Where the identity that a passphrase opens stands in the store; an empty object counts as absent. */
export const storedIdentityKey = 'custody/identity.age';

/** Shorter ones fall to guessing, whatever scrypt costs. */
const SHORTEST = 12;

/** Armored age text that only the passphrase opens. Throws `refused` for a passphrase that is too short. */
export async function sealIdentity(identity: string, passphrase: string): Promise<string> {
  if ([...passphrase].length < SHORTEST) {
    throw new QuorateError('refused', `the passphrase has fewer than ${SHORTEST} characters`, {
      hint: 'take four or five random words: whoever has the state directory can guess for as long as they like',
    });
  }
  const age = await import('age-encryption');
  const encrypter = new age.Encrypter();
  encrypter.setPassphrase(passphrase);
  return age.armor.encode(await encrypter.encrypt(`${identity}\n`));
}

/** Whether a file is encrypted by age, armored or not. */
export function isSealed(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 200)).toString('latin1').trimStart();
  return /^(?:age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/.test(text);
}

/** The identity's text. Throws `refused`, `source` first, where the passphrase does not open it. */
export async function unsealIdentity(bytes: Uint8Array, passphrase: string, source: string): Promise<string> {
  const age = await import('age-encryption');
  const decrypter = new age.Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    const text = Buffer.from(bytes).toString('latin1');
    const file = text.trimStart().startsWith('-----') ? age.armor.decode(text) : new Uint8Array(bytes);
    return await decrypter.decrypt(file, 'text');
  } catch {
    // The library's message may quote what it was given.
    throw new QuorateError('refused', `${source}: the passphrase does not open the age identity`);
  }
}
