/** Making a lab: record first, then bridge, keys and layers, then all hosts at once. */
import { QuorateError } from '../domain/errors.ts';
import { hostAddresses, maximumHosts } from './addresses.ts';
import { cacheFolder } from './cache.ts';
import { ensureImage, machineSuite } from './image.ts';
import { makeIdentity, writeSshFiles } from './keys.ts';
import { bridgeName, makeBridge, raiseBridge } from './network.ts';
import { startHost } from './power.ts';
import { ensureRequirements } from './requirements.ts';
import { type Say, silent } from './say.ts';
import { seedHost } from './seed.ts';
import { assertName, type LabPlace, type LabRecord, writeRecord } from './state.ts';

/** What a lab shall be. */
export interface UpOptions {
  /** The folder that holds labs; `.lab` in the current folder by default. On a tmpfs, the hosts' disks are memory. */
  readonly root?: string | undefined;
  /** Where base images are kept; see {@link cacheFolder}. */
  readonly cache?: string | undefined;
  /** Hosts' names; `controller-1` to `controller-3` by default. */
  readonly hosts?: readonly string[] | undefined;
  /** Debian packages besides the base's; another list is another base image. */
  readonly packages?: readonly string[] | undefined;
  /** What each host may use of memory. */
  readonly memoryBytes?: number | undefined;
  readonly say?: Say | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The names of hosts that are only counted: `controller-1`, `controller-2`, … */
export function countedHosts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `controller-${index + 1}`);
}

/** Makes a lab where there is none and starts its hosts. Throws `usage` for names that cannot be; leaves a record when it fails. */
export async function raiseLab(place: LabPlace, options: UpOptions): Promise<LabRecord> {
  const names = options.hosts ?? countedHosts(3);
  assertHosts(names);
  const say = options.say ?? silent;
  await ensureRequirements(say, options.signal);
  const recipe = { packages: options.packages ?? [], suite: await machineSuite() };
  const image = await ensureImage(options.cache ?? cacheFolder(), recipe, { say, signal: options.signal });
  const record = await recordWithBridge(place, { names, image, memoryBytes: options.memoryBytes });
  await seedHosts(place, record);
  await startHosts(place, record, options.signal);
  const up: LabRecord = { ...record, phase: 'up' };
  await writeRecord(place, up);
  return up;
}

/** Starts those hosts of a recorded lab that are off, with their bridge if a reboot took it. */
export async function startLab(place: LabPlace, record: LabRecord, options: UpOptions): Promise<void> {
  assertSame(record, options);
  await ensureRequirements(options.say ?? silent, options.signal);
  await raiseBridge(place.id, record.subnet);
  await startHosts(place, record, options.signal);
}

async function startHosts(place: LabPlace, record: LabRecord, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await Promise.all(record.hosts.map((host) => startHost({ place, record, host })));
}

async function seedHosts(place: LabPlace, record: LabRecord): Promise<void> {
  const authorizedKey = await makeIdentity(place);
  const keys = new Map<string, readonly string[]>();
  await Promise.all(
    record.hosts.map(async (host) => keys.set(host.name, await seedHost(place, record, { host, authorizedKey }))),
  );
  await writeSshFiles(place, record.hosts, keys);
}

async function recordWithBridge(
  place: LabPlace,
  wanted: { names: readonly string[]; image: string; memoryBytes: number | undefined },
): Promise<LabRecord> {
  const recordFor = (subnet: LabRecord['subnet']): LabRecord => ({
    format: 1,
    name: place.name,
    id: place.id,
    phase: 'starting',
    bridge: bridgeName(place.id),
    subnet,
    image: wanted.image,
    memoryBytes: wanted.memoryBytes,
    hosts: wanted.names.map((name, index) => ({
      name,
      machine: `q${place.id}-${index + 1}`,
      ...hostAddresses(subnet, index),
    })),
  });
  const subnet = await makeBridge(place.id, (chosen) => writeRecord(place, recordFor(chosen)));
  return recordFor(subnet);
}

function assertHosts(names: readonly string[]): void {
  for (const name of names) assertName(name, 'host');
  if (new Set(names).size !== names.length) throw new QuorateError('usage', 'a lab has each host name once');
  if (names.length >= 1 && names.length <= maximumHosts) return;
  throw new QuorateError('usage', `a lab has 1 to ${maximumHosts} hosts, not ${names.length}`);
}

function assertSame(record: LabRecord, options: UpOptions): void {
  const there = record.hosts.map((host) => host.name);
  const wanted = options.hosts ?? there;
  if (wanted.join() === there.join()) return;
  throw new QuorateError(
    'refused',
    `lab ${record.name} is there with hosts ${there.join(', ')}, not ${wanted.join(', ')}`,
    {
      hint: `quorate lab down ${record.name}, then up again; or take another name`,
    },
  );
}
