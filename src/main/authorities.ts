/** What is done with authorities and keys in the state directory alone: importing, re-encrypting. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AuthorityImport, ImportedAuthority, RekeyWish } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { openCustody } from '../pki/custody.ts';
import { systemEntropy } from '../pki/entropy.ts';
import { openFileStore } from '../pki/file-store.ts';
import { findIdentity } from '../pki/identity.ts';
import { importAuthority } from '../pki/import.ts';
import { checkAuthority } from '../pki/import-check.ts';
import { sealIdentity } from '../pki/passphrase.ts';
import { type Rekeyed, rekeyStore, storedIdentity } from '../pki/rekey.ts';
import { createCluster, readDocument } from '../pki/state.ts';
import { lazyCustody, operatorIdentity, type Surroundings } from './identity.ts';

/** Judged before the state directory is made or its keys are opened. @throws QuorateError refused */
export async function importFor(
  cluster: Cluster,
  { purpose, offer }: AuthorityImport,
  surroundings: Surroundings,
): Promise<ImportedAuthority> {
  const { now, who } = surroundings.process;
  const accepted = checkAuthority(offer, { now: now(), leafLifetimeDays: cluster.pki.leafLifetimeDays });
  const store = openFileStore(cluster.stateDir);
  const custody = await lazyCustody(cluster, surroundings.identity, surroundings)();
  const token = randomBytes(16).toString('hex');
  const { uuid } = await createCluster(store, { uuid: systemEntropy.uuid(), name: cluster.name, token }, now());
  const context = { store, custody, policy: cluster.pki, uuid, entropy: systemEntropy, now, who };
  const { id, status, facts } = await importAuthority(context, { purpose, accepted, why: 'imported' });
  return { id, status, subject: facts.subject, warnings: accepted.warnings };
}

/** @throws QuorateError refused where nothing here could open what would be written, or where later keys would go to others than these */
export async function rekeyFor(cluster: Cluster, wish: RekeyWish, surroundings: Surroundings): Promise<Rekeyed> {
  const recipients = recipientsOf(cluster, wish);
  const store = openFileStore(cluster.stateDir);
  const { uuid } = await readDocument(store);
  const own = await operatorIdentity(cluster, surroundings);
  if (wish.passphrase) {
    const { generateX25519Identity } = await import('age-encryption');
    const identity = await generateX25519Identity();
    const sealed = await sealIdentity(identity, await newPassphrase(surroundings));
    return rekeyStore(store, uuid, { old: own.keys, identities: [identity], recipients, sealed });
  }
  const identities =
    wish.toIdentity === undefined ? await stillNamed(own.keys, wish) : await identityAt(wish.toIdentity, surroundings);
  // The identity behind the passphrase is nowhere else: while it opens anything it stays.
  const stays = own.stored && identities.some((each) => own.keys.includes(each));
  const kept = stays ? (await storedIdentity(store))?.bytes : undefined;
  const sealed = kept === undefined ? undefined : Buffer.from(kept).toString('utf8');
  return rekeyStore(store, uuid, { old: own.keys, identities, recipients, sealed });
}

/** Those that are named, or the inventory's; never fewer than the inventory's, because keys that are made later are encrypted to those. */
function recipientsOf({ pki }: Cluster, wish: RekeyWish): readonly string[] {
  if (wish.recipients.length === 0) return pki.recipients;
  const left = pki.recipients.filter((each) => !wish.recipients.includes(each));
  if (left.length === 0) return wish.recipients;
  throw new QuorateError(
    'refused',
    `pki.recipients still names ${left.join(', ')}: keys that are made later would be encrypted to it again`,
    { hint: 'take it out of the inventory first, or name it with --recipient too' },
  );
}

/** The identities in use that stay: all without `--recipient`, else those that it names. */
async function stillNamed(old: readonly string[], { recipients }: RekeyWish): Promise<readonly string[]> {
  if (recipients.length === 0) return old;
  const own = await Promise.all(
    old.map(async (each) => ({ each, recipients: (await openCustody([each], [])).recipients })),
  );
  const kept = own.filter((one) => one.recipients.some((each) => recipients.includes(each))).map(({ each }) => each);
  if (kept.length > 0) return kept;
  throw new QuorateError(
    'refused',
    'nothing here could open the keys afterwards, so nothing could show that they can be opened at all',
    {
      hint: 'name an identity of the new recipients with --to-identity FILE, or name your own recipient too',
    },
  );
}

/** The file's identity; made there where there is none. */
async function identityAt(path: string, { process }: Surroundings): Promise<readonly string[]> {
  const file = resolve(process.directory, path);
  const request = { env: process.env, home: process.home };
  const found = await findIdentity(existsSync(file) ? { ...request, file } : { ...request, newFile: file });
  return found.keys;
}

async function newPassphrase({ process, ui }: Surroundings): Promise<string> {
  const told = process.env['QUORATE_NEW_PASSPHRASE'];
  if (told) return told;
  if (!ui.terminal.interactive) {
    throw new QuorateError('usage', 'certs ca rekey-custody --passphrase: nobody can be asked for the new passphrase', {
      hint: 'give it in QUORATE_NEW_PASSPHRASE (the one in use, where there is one, in QUORATE_PASSPHRASE)',
    });
  }
  const ask = (question: string): Promise<string> => ui.askSecret({ question, instead: 'QUORATE_NEW_PASSPHRASE' });
  const first = await ask('New passphrase');
  if (first === (await ask('Once more'))) return first;
  throw new QuorateError('usage', 'certs ca rekey-custody: the two passphrases differ; nothing was changed');
}
