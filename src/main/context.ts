/** Builds what a verb may do from the command line and the process. Heavy parts are loaded when a verb asks for them. */
import { type Ports, type VerbUi, value, values } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import { createDebugLog, logDirectory } from '../ui/debug-log.ts';
import { createUi, type Ui } from '../ui/output.ts';
import { createSecrets, type Secrets } from '../ui/secrets.ts';
import { decideTerminal, readTerminal } from '../ui/terminal.ts';
import { drained } from './drained.ts';
import { filePort } from './file-port.ts';
import { inventoryPath, loadCluster, openRenderer, openVersions, renderCluster } from './inventory.ts';
import { type Process, thisProcess } from './process.ts';
import type { Request } from './program.ts';
import { secretValues } from './secret-values.ts';

export interface Context {
  readonly ui: Ui;
  readonly ports: Ports;
}

/** The ports of one run. */
export async function openContext(request: Request): Promise<Context> {
  const secrets = createSecrets();
  const surroundings = thisProcess();
  const ui = openUi(request, surroundings, secrets);
  return { ui, ports: portsOf(request, { ui, surroundings, secrets }) };
}

interface Base {
  readonly ui: Ui;
  readonly surroundings: Process;
  readonly secrets: Secrets;
}

function openUi({ verb, invocation: { options } }: Request, surroundings: Process, secrets: Secrets): Ui {
  const flags = {
    json: options['json'] === true,
    quiet: options['quiet'] === true,
    verbose: options['verbose'] === true,
    noColor: options['color'] === false,
    noInput: options['input'] === false,
  };
  const log = createDebugLog({
    directory: logDirectory(surroundings.env, surroundings.home),
    verb: verb.replaceAll(' ', '-'),
    pid: surroundings.pid,
    now: surroundings.now,
    redactValue: secrets.redactValue,
  });
  const streams = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr };
  const terminal = decideTerminal(readTerminal(process, surroundings.env), flags);
  return createUi({ terminal, streams, secrets, log, verbose: flags.verbose });
}

function portsOf(request: Request, base: Base): Ports {
  const { ui, surroundings, secrets } = base;
  const { invocation } = request;
  const option = (name: string): string | undefined => value(invocation, name);
  const clusterAt = async (path: string | undefined): Promise<Cluster> => {
    const cluster = await loadCluster(inventoryPath(path ?? option('inventory'), surroundings), surroundings);
    for (const each of secretValues(cluster, surroundings.env)) secrets.add(each);
    return cluster;
  };
  const safeCluster = async (): Promise<Cluster> => {
    const cluster = await clusterAt(undefined);
    const { requireSafeVersion } = await import('../domain/hazards.ts');
    const accepted = [...cluster.acceptHazards, ...values(invocation, 'acceptHazard')];
    for (const warning of [...cluster.warnings, ...requireSafeVersion(cluster.version, accepted)]) ui.warn(warning);
    return cluster;
  };
  const operator = async (cluster: Cluster) => {
    const { openOperator } = await import('./open-operator.ts');
    return openOperator(
      cluster,
      { file: option('identity'), newFile: option('newIdentity') },
      { process: surroundings, ui },
    );
  };
  return {
    ui: verbUi(ui),
    now: surroundings.now,
    cluster: safeCluster,
    clusterAt,
    session: async (cluster, wish) => {
      const { openSession } = await import('./session.ts');
      const { learnToken } = await import('./store-secrets.ts');
      await learnToken(cluster, secrets);
      const side = await operator(cluster);
      const render = await openRenderer(cluster);
      return openSession({
        cluster,
        wish,
        desired: render(cluster),
        render,
        operator: side,
        atVersion: wish.versions === undefined ? undefined : await openVersions(cluster, side.checksums),
        ui,
        process: surroundings,
        acceptNewHostKeys: invocation.options['acceptNewHostKeys'] === true,
        command: request.verb,
        verbose: invocation.options['verbose'] === true,
        redact: secrets.redact,
      });
    },
    journals: async (cluster, wish) => {
      const { openJournals } = await import('./journals.ts');
      const { learnToken } = await import('./store-secrets.ts');
      const unread = await learnToken(cluster, secrets);
      if (unread !== undefined) ui.warn(unread);
      const acceptNewHostKeys = invocation.options['acceptNewHostKeys'] === true;
      return openJournals({ cluster, wish, ui, process: surroundings, acceptNewHostKeys, redact: secrets.redact });
    },
    certificateEvidence: async (cluster) => {
      const { gatherCertificates } = await import('./certificates.ts');
      const acceptNewHostKeys = invocation.options['acceptNewHostKeys'] === true;
      return gatherCertificates(cluster, { ui, process: surroundings, acceptNewHostKeys });
    },
    storeEvidence: async (cluster) => {
      const { readStore } = await import('./certificates.ts');
      return readStore(cluster);
    },
    issueClient: async (cluster, order) => {
      const { issueForClient } = await import('./issue-client.ts');
      const identity = { file: option('identity'), newFile: undefined };
      return issueForClient(cluster, order, { identity, process: surroundings, ui });
    },
    revoke: async (cluster, revocations) => {
      const { revokeFor } = await import('./issue-client.ts');
      const identity = { file: option('identity'), newFile: undefined };
      await revokeFor(cluster, revocations, { identity, process: surroundings, ui });
    },
    importAuthority: async (cluster, wish) => {
      const { importFor } = await import('./authorities.ts');
      const identity = { file: option('identity'), newFile: option('newIdentity') };
      return importFor(cluster, wish, { identity, process: surroundings, ui });
    },
    adminRequest: async (cluster) => {
      const { adminRequestFor } = await import('./issue-client.ts');
      const identity = { file: option('identity'), newFile: undefined };
      return adminRequestFor(cluster, { identity, process: surroundings, ui });
    },
    rekeyCustody: async (cluster, wish) => {
      const { rekeyFor } = await import('./authorities.ts');
      const identity = { file: option('identity'), newFile: undefined };
      return rekeyFor(cluster, wish, { identity, process: surroundings, ui });
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
      const tls = await (await operator(cluster)).credentialsIfAny();
      return tls?.cert === undefined || tls.key === undefined
        ? undefined
        : { ca: tls.ca, cert: tls.cert, key: tls.key };
    },
    render: async (cluster) => {
      const files = await renderCluster(cluster);
      return Object.fromEntries(Object.entries(files).map(([host, each]) => [host, each.files]));
    },
    discover: async (targets) => {
      const { discoverHosts } = await import('./discover.ts');
      const acceptNewHostKeys = invocation.options['acceptNewHostKeys'] === true;
      return discoverHosts(targets, { ui, process: surroundings, acceptNewHostKeys });
    },
    adoption: {
      clusterOf: async (text) => {
        const { clusterFrom } = await import('./inventory.ts');
        return clusterFrom(text, surroundings);
      },
      survey: async (cluster, wish) => {
        const { surveyHosts } = await import('./survey.ts');
        const acceptNewHostKeys = invocation.options['acceptNewHostKeys'] === true;
        return surveyHosts(cluster, wish, { ui, process: surroundings, acceptNewHostKeys });
      },
      readKey: async (cluster, place) => {
        const { readHostKey } = await import('./survey.ts');
        const key = await readHostKey(cluster, place, { ui, process: surroundings, acceptNewHostKeys: false });
        secrets.add(key);
        return key;
      },
    },
    lab: async () => (await import('./lab-port.ts')).labPort(ui),
    withOptions: (options) => portsOf({ ...request, invocation: { ...invocation, options } }, base),
    files: filePort(surroundings.directory),
    operator: { directory: surroundings.directory, env: surroundings.env, uid: surroundings.uid },
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
