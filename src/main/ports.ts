/** What a verb may do, from the command line and the process. Heavy parts are loaded when a verb asks for them. */
import { type Ports, type VerbUi, value, values } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Ui } from '../ui/output.ts';
import type { Secrets } from '../ui/secrets.ts';
import { drained } from './drained.ts';
import { filePort } from './file-port.ts';
import { inventoryPath, loadCluster, openRenderer, openVersions, renderCluster } from './inventory.ts';
import type { Process } from './process.ts';
import type { Request } from './program.ts';
import { secretValues } from './secret-values.ts';

/** What all ports of one run share. */
export interface Base {
  readonly ui: Ui;
  readonly process: Process;
  readonly secrets: Secrets;
}

/** The ports of one run. */
export function portsOf(request: Request, base: Base): Ports {
  const { ui, process: surroundings } = base;
  const { invocation } = request;
  const adapters = { ...base, request, ...readOptions(request) };
  return {
    ui: verbUi(ui),
    now: surroundings.now,
    ...inventoryPorts(adapters),
    ...hostPorts(adapters),
    ...storePorts(adapters),
    adoption: adoptionPort(adapters),
    lab: async () => (await import('./lab-port.ts')).labPort(ui),
    withOptions: (options) => portsOf({ ...request, invocation: { ...invocation, options } }, base),
    files: filePort(surroundings.directory),
    operator: { directory: surroundings.directory, env: surroundings.env, uid: surroundings.uid },
  };
}

interface Options {
  readonly acceptNewHostKeys: boolean;
  /** The age identity that opens keys. */
  readonly identity: { readonly file: string | undefined; readonly newFile: undefined };
  /** The same, or where a new one is to be made. */
  readonly anyIdentity: { readonly file: string | undefined; readonly newFile: string | undefined };
}

interface Adapters extends Base, Options {
  readonly request: Request;
}

function readOptions({ invocation }: Request): Options {
  const file = value(invocation, 'identity');
  return {
    acceptNewHostKeys: invocation.options['acceptNewHostKeys'] === true,
    identity: { file, newFile: undefined },
    anyIdentity: { file, newFile: value(invocation, 'newIdentity') },
  };
}

function inventoryPorts({ ui, process, secrets, request: { invocation } }: Adapters) {
  const clusterAt = async (path: string | undefined): Promise<Cluster> => {
    const cluster = await loadCluster(inventoryPath(path ?? value(invocation, 'inventory'), process), process);
    for (const each of secretValues(cluster, process.env)) secrets.add(each);
    return cluster;
  };
  return {
    clusterAt,
    cluster: async () => {
      const cluster = await clusterAt(undefined);
      const { requireSafeVersion } = await import('../domain/hazards.ts');
      const accepted = [...cluster.acceptHazards, ...values(invocation, 'acceptHazard')];
      for (const warning of [...cluster.warnings, ...requireSafeVersion(cluster.version, accepted)]) ui.warn(warning);
      return cluster;
    },
    render: async (cluster) => {
      const files = await renderCluster(cluster);
      return Object.fromEntries(Object.entries(files).map(([host, each]) => [host, each.files]));
    },
  } satisfies Partial<Ports>;
}

function hostPorts(adapters: Adapters) {
  const { ui, process, secrets, request, acceptNewHostKeys } = adapters;
  return {
    session: async (cluster, wish) => {
      const { openSession } = await import('./session.ts');
      const { learnToken } = await import('./store-secrets.ts');
      await learnToken(cluster, secrets);
      const operator = await operatorOf(cluster, adapters);
      const render = await openRenderer(cluster);
      return openSession({
        cluster,
        wish,
        desired: render(cluster),
        render,
        operator,
        atVersion: wish.versions === undefined ? undefined : await openVersions(cluster, operator.checksums),
        ui,
        process,
        acceptNewHostKeys,
        command: request.verb,
        verbose: request.invocation.options['verbose'] === true,
        redact: secrets.redact,
      });
    },
    journals: async (cluster, wish) => {
      const { openJournals } = await import('./journals.ts');
      const { learnToken } = await import('./store-secrets.ts');
      const unread = await learnToken(cluster, secrets);
      if (unread !== undefined) ui.warn(unread);
      return openJournals({ cluster, wish, ui, process, acceptNewHostKeys, redact: secrets.redact });
    },
    certificateEvidence: async (cluster) => {
      const { gatherCertificates } = await import('./certificates.ts');
      return gatherCertificates(cluster, adapters);
    },
    discover: async (targets) => {
      const { discoverHosts } = await import('./discover.ts');
      return discoverHosts(targets, adapters);
    },
  } satisfies Partial<Ports>;
}

async function operatorOf(cluster: Cluster, { anyIdentity, process, ui }: Adapters) {
  const { openOperator } = await import('./open-operator.ts');
  return openOperator(cluster, anyIdentity, { process, ui });
}

function storePorts(adapters: Adapters) {
  const { secrets, anyIdentity } = adapters;
  return {
    storeEvidence: async (cluster) => {
      const { readStore } = await import('./certificates.ts');
      return readStore(cluster);
    },
    issueClient: async (cluster, order) => {
      const { issueForClient } = await import('./issue-client.ts');
      return issueForClient(cluster, order, adapters);
    },
    revoke: async (cluster, revocations) => {
      const { revokeFor } = await import('./issue-client.ts');
      await revokeFor(cluster, revocations, adapters);
    },
    importAuthority: async (cluster, wish) => {
      const { importFor } = await import('./authorities.ts');
      return importFor(cluster, wish, { ...adapters, identity: anyIdentity });
    },
    adminRequest: async (cluster) => {
      const { adminRequestFor } = await import('./issue-client.ts');
      return adminRequestFor(cluster, adapters);
    },
    rekeyCustody: async (cluster, wish) => {
      const { rekeyFor } = await import('./authorities.ts');
      return rekeyFor(cluster, wish, adapters);
    },
    keyStore: async (store, passphrase) => {
      const { writeKeyStore } = await import('../pki/pkcs12.ts');
      const { randomBytes } = await import('node:crypto');
      return writeKeyStore(store, passphrase, randomBytes);
    },
    bundle: async (folder, files, more) => {
      const { packBundle } = await import('./bundle.ts');
      for (const each of more) secrets.add(each);
      return packBundle(folder, files, secrets);
    },
    credentials: async (cluster) => {
      const tls = await (await operatorOf(cluster, adapters)).credentialsIfAny();
      if (tls?.cert === undefined || tls.key === undefined) return undefined;
      return { ca: tls.ca, cert: tls.cert, key: tls.key };
    },
  } satisfies Partial<Ports>;
}

function adoptionPort(adapters: Adapters): Ports['adoption'] {
  const { process, secrets } = adapters;
  return {
    clusterOf: async (text) => {
      const { clusterFrom } = await import('./inventory.ts');
      return clusterFrom(text, process);
    },
    survey: async (cluster, wish) => {
      const { surveyHosts } = await import('./survey.ts');
      return surveyHosts(cluster, wish, adapters);
    },
    readKey: async (cluster, place) => {
      const { readHostKey } = await import('./survey.ts');
      const key = await readHostKey(cluster, place, { ...adapters, acceptNewHostKeys: false });
      secrets.add(key);
      return key;
    },
  };
}

function verbUi(ui: Ui): VerbUi {
  return {
    mode: ui.terminal.mode,
    interactive: ui.terminal.interactive,
    out: ui.out,
    json: ui.json,
    table: ui.table,
    line: ui.line,
    drained: () => drained(process.stdout),
    note: ui.note,
    warn: ui.warn,
    confirm: ui.confirm,
    askText: ui.askText,
  };
}
