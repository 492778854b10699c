/** Finds, reads and resolves inventories, and renders what they want on each host. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { InventoryDraft } from '../commands/adoption-port.ts';
import type { Cluster } from '../domain/cluster.ts';
import { TOKEN_PLACEHOLDER } from '../domain/step.ts';
import { parseInventory } from '../inventory/load.ts';
import { readInventoryText } from '../inventory/read.ts';
import { resolveCluster } from '../inventory/resolve.ts';
import type { HostFiles, View } from '../plan/view.ts';
import type { Templates } from '../render/template.ts';
import type { Process } from './process.ts';

/** The inventory that was asked for, or the usual one. */
export function inventoryPath(option: string | undefined, process: Process): string {
  return option ?? process.env['QUORATE_INVENTORY'] ?? 'quorate.yml';
}

/**
 * The cluster that an inventory describes.
 * @throws QuorateError inventory, with every complaint
 */
export async function loadCluster(path: string, process: Process): Promise<Cluster> {
  const text = await readInventoryText(path === '-' ? path : resolve(process.directory, path));
  const directory = path === '-' ? process.directory : dirname(resolve(process.directory, path));
  const fileName = path === '-' ? '<stdin>' : path;
  return resolveCluster(parseInventory(text, { fileName, env: process.env, directory, home: process.home }));
}

/** The cluster that a text describes which is not (yet) an inventory's; paths start from `directory`. @throws QuorateError inventory */
export function clusterFrom({ text, fileName, directory }: InventoryDraft, { env, home }: Process): Cluster {
  return resolveCluster(parseInventory(text, { fileName, env, directory, home }));
}

/** The templates as they stand in the package. */
async function loadTemplates(): Promise<Templates> {
  const folder = new URL('../templates/', import.meta.url);
  const names = await readdir(folder);
  const entries = await Promise.all(
    names.map(async (name) => [name, await readFile(new URL(name, folder), 'utf8')] as const),
  );
  return Object.fromEntries(entries);
}

/** What should stand on each host; the token is a placeholder. Whether there are revocation lists is asked of the state directory. */
export async function renderCluster(cluster: Cluster): Promise<Readonly<Record<string, HostFiles>>> {
  return (await openRenderer(cluster))(cluster);
}

/** Renders this cluster as it is, in another version, or on its way to TLS, without reading anything more. */
export async function openRenderer(
  cluster: Cluster,
): Promise<(cluster: Cluster) => Readonly<Record<string, HostFiles>>> {
  const { renderBootstrapFiles, renderHostFiles } = await import('../render/host-files.ts');
  const templates = await loadTemplates();
  const [{ openFileStore }, { revokedUses }] = await Promise.all([
    import('../pki/file-store.ts'),
    import('../pki/revocation-lists.ts'),
  ]);
  const revocations = await revokedUses(openFileStore(cluster.stateDir));
  // Read only where there is no data yet: as the inventory has it, on whatever way the members are.
  const initialCluster = cluster.controllers.map(({ name, peerUrl }) => ({ name, peerUrl }));
  return (wanted) => {
    const input = { token: TOKEN_PLACEHOLDER, initialCluster, revocations, templates };
    return Object.fromEntries(
      wanted.controllers.map((controller) => {
        let bootstrapFiles: HostFiles['bootstrapFiles'] | undefined;
        return [
          controller.name,
          {
            files: renderHostFiles(wanted, controller, input),
            /** Rendered when somebody asks: only a cluster that is being formed needs them. */
            get bootstrapFiles() {
              bootstrapFiles ??= renderBootstrapFiles(wanted, controller, input);
              return bootstrapFiles;
            },
          },
        ];
      }),
    );
  };
}

/** What another version of this cluster wants, rendered once each. */
export async function openVersions(
  cluster: Cluster,
  checksums: (version: string) => Readonly<Record<string, string>>,
): Promise<NonNullable<View['atVersion']>> {
  const render = await openRenderer(cluster);
  const made = new Map<string, Pick<View, 'cluster' | 'desired'>>();
  return (version, etcd) => {
    const key = JSON.stringify([version, etcd]);
    const other = { ...cluster, version, etcd: { ...cluster.etcd, ...etcd } };
    const found = made.get(key) ?? { cluster: other, desired: render(other) };
    made.set(key, found);
    return { ...found, checksums: checksums(version) };
  };
}
