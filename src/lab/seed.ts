/** What a new host has of its own before it boots: name, addresses, keys, written into its layer above the base image. */
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gatewayOf } from './addresses.ts';
import { makeHostKeys } from './keys.ts';
import { type HostRecord, hostFolder, type LabPlace, type LabRecord } from './state.ts';

/** Where a host's own layer is; `image` is what lies below. */
interface Layer {
  readonly upper: string;
  readonly image: string;
}

/** Fills a host's layer and returns the public keys of its sshd. */
export async function seedHost(
  place: LabPlace,
  record: LabRecord,
  seed: { readonly host: HostRecord; readonly authorizedKey: string },
): Promise<string[]> {
  const { host, authorizedKey } = seed;
  const folder = hostFolder(place, host.name);
  const layer = { upper: join(folder, 'upper'), image: record.image };
  for (const name of ['upper', 'work', 'root']) await mkdir(join(folder, name), { recursive: true });
  for (const name of ['', 'upper', 'work', 'root']) await chmod(join(folder, name), 0o755);
  await put(layer, { path: '/etc/hostname', content: `${host.name}\n` });
  await put(layer, { path: '/etc/hosts', content: hostsFile(record.hosts) });
  await put(layer, { path: '/etc/machine-id', content: `${randomBytes(16).toString('hex')}\n`, mode: 0o444 });
  await put(layer, { path: '/etc/lab-network', content: networkBatch(record, host) });
  for (const home of ['/root', '/home/ops']) await putAuthorizedKey(layer, home, authorizedKey);
  await makeFolder(layer, '/etc/ssh');
  return makeHostKeys(join(layer.upper, 'etc/ssh'), host.name);
}

/** A host's `/etc/hosts`: every host of the lab by its real addresses, itself included, so that names mean the same everywhere. */
export function hostsFile(hosts: readonly HostRecord[]): string {
  const loopback = ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback'];
  const lines = hosts.flatMap((host) => [`${host.ipv4} ${host.name}`, `${host.ipv6} ${host.name}`]);
  return `${[...loopback, ...lines].join('\n')}\n`;
}

function networkBatch(record: LabRecord, host: HostRecord): string {
  const gateway = gatewayOf(record.subnet);
  return [
    'link set lo up',
    `address replace ${host.ipv4}/24 dev host0`,
    `address replace ${host.ipv6}/64 dev host0 nodad`,
    'link set host0 up',
    `route replace default via ${gateway.ipv4} dev host0`,
    '',
  ].join('\n');
}

async function putAuthorizedKey(layer: Layer, home: string, key: string): Promise<void> {
  const owner = await stat(join(layer.image, home));
  const folder = await makeFolder(layer, `${home}/.ssh`, 0o700);
  const file = join(folder, 'authorized_keys');
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  for (const path of [folder, file]) await chown(path, owner.uid, owner.gid);
}

async function put(layer: Layer, file: { path: string; content: string; mode?: number }): Promise<void> {
  await makeFolder(layer, dirname(file.path));
  await writeFile(join(layer.upper, file.path), file.content);
  await chmod(join(layer.upper, file.path), file.mode ?? 0o644);
}

/** Makes a folder in the layer; one that the image has keeps the owner and mode it has there, which the layer's would hide. */
async function makeFolder(layer: Layer, path: string, mode = 0o755): Promise<string> {
  const folder = join(layer.upper, path);
  if (path === '/') return folder;
  await makeFolder(layer, dirname(path));
  await mkdir(folder, { recursive: true });
  const below = await stat(join(layer.image, path)).catch(() => undefined);
  await chmod(folder, below === undefined ? mode : below.mode & 0o7777);
  if (below !== undefined) await chown(folder, below.uid, below.gid);
  return folder;
}
