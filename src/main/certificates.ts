/** Gathers everything that can be known of a cluster's certificates: hosts, ports, store. Opens no private key and changes nothing. */
import type { CertificateEvidence, StoreEvidence } from '../domain/certificate-evidence.ts';
import type { Cluster } from '../domain/cluster.ts';
import { observeHosts } from '../observe/probe.ts';
import { observeServed } from '../observe/served.ts';
import { openFileStore } from '../pki/file-store.ts';
import { readPublicSide } from '../pki/public-side.ts';
import { openAll } from '../transport/open.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

/** A host that can't be reached is a fact; so is a store that can't be read. */
export async function gatherCertificates(
  cluster: Cluster,
  {
    ui,
    process,
    acceptNewHostKeys,
  }: { readonly ui: Ui; readonly process: Process; readonly acceptNewHostKeys: boolean },
): Promise<CertificateEvidence> {
  const transports = await openAll(cluster.controllers, {
    env: process.env,
    acceptNewHostKeys,
    askSecret: ui.terminal.interactive ? (question) => ui.askSecret({ question, instead: 'an SSH agent' }) : undefined,
  });
  try {
    const [observed, served, store] = await Promise.all([
      observeHosts(transports.connections.values(), cluster, { now: process.now }),
      observeServed(cluster, transports.connections),
      readStore(cluster),
    ]);
    const unconnected = transports.failures.flatMap(({ host, message }) =>
      host === undefined ? [] : [[host, message]],
    );
    const unreachable = { ...Object.fromEntries(unconnected), ...observed.unreachable };
    return { cluster, now: process.now(), facts: { hosts: observed.hosts, unreachable }, served, store };
  } finally {
    await transports.close();
  }
}

/** The public side of the state directory. */
export function readStore(cluster: Cluster): Promise<StoreEvidence> {
  return readPublicSide(openFileStore(cluster.stateDir));
}
