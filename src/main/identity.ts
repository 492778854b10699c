/** The operator's keys: which identity opens the state directory, and when it is looked for. */
import type { Cluster } from '../domain/cluster.ts';
import { type Custody, openCustody } from '../pki/custody.ts';
import { openFileStore } from '../pki/file-store.ts';
import { findIdentity, type Identity } from '../pki/identity.ts';
import { storedIdentity } from '../pki/rekey.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

export interface IdentityOptions {
  readonly file: string | undefined;
  readonly newFile: string | undefined;
}

/** Opens the custody once, when it is first needed. */
export function lazyCustody(
  cluster: Cluster,
  options: IdentityOptions,
  surroundings: { readonly process: Process; readonly ui: Ui },
): () => Promise<Custody> {
  let opened: Promise<Custody> | undefined;
  return () => {
    opened ??= open(cluster, { ...surroundings, identity: options });
    return opened;
  };
}

/** Everything that finding an identity looks at. */
export interface Surroundings {
  readonly identity: IdentityOptions;
  readonly process: Process;
  readonly ui: Ui;
}

/** The operator's identity; offered to be made on a terminal. @throws QuorateError refused */
export async function operatorIdentity(
  cluster: Cluster,
  { identity: options, process, ui }: Surroundings,
): Promise<Identity> {
  const confirm = (question: string): Promise<boolean> =>
    ui.confirm({ question, expect: 'yes', instead: '--new-identity FILE' });
  const askPassphrase = (question: string): Promise<string> =>
    ui.askSecret({ question, instead: 'QUORATE_PASSPHRASE' });
  return findIdentity({
    file: options.file,
    newFile: options.newFile,
    stored: await storedIdentity(openFileStore(cluster.stateDir)),
    policyFile: cluster.pki.identityFile,
    env: process.env,
    home: process.home,
    confirm: ui.terminal.interactive ? confirm : undefined,
    askPassphrase: ui.terminal.interactive ? askPassphrase : undefined,
  });
}

async function open(cluster: Cluster, surroundings: Surroundings): Promise<Custody> {
  const identity = await operatorIdentity(cluster, surroundings);
  if (identity.made) {
    const kept = `(keep a copy: it opens the keys of the authorities)`;
    surroundings.ui.note(`made an age identity: ${identity.source} ${kept}`);
  }
  return openCustody(identity.keys, cluster.pki.recipients, identity);
}
