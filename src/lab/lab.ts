/** Labs: throw-away hosts on this machine with a real systemd and a real sshd. The one entry to this folder's machines. */
import { access, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { gatewayOf, type Subnet } from './addresses.ts';
import { clearGroups, hasGroups } from './cgroup.ts';
import { hostOf, type LabHost } from './host.ts';
import { type SshFiles, sshFiles } from './keys.ts';
import { withFolderLock } from './lock.ts';
import { bridgeExists, removeBridge } from './network.ts';
import { raiseLab, startLab, type UpOptions } from './raise.ts';
import { type LabPlace, type LabRecord, labNames, labPlace, readRecord } from './state.ts';
import { type LabSummary, summarizeLab } from './summary.ts';

/** A lab whose hosts exist. */
export interface Lab {
  readonly name: string;
  /** Holds everything of the lab; inventory and PKI state of a demo may lie here too and go with `lab down`. */
  readonly folder: string;
  readonly subnet: Subnet;
  /** This machine's address on the lab's bridge, as the hosts see it. */
  readonly gateway: string;
  readonly ssh: SshFiles;
  readonly hosts: readonly LabHost[];
  /** Throws `usage`, naming the hosts there are, for any other name. */
  host(name: string): LabHost;
}

/** Whether `lab down` found anything, and what. */
export interface DownResult {
  readonly removed: boolean;
  readonly reason: string;
}

/**
 * Brings a lab up: makes it, or starts what is off of one that is there. What an interrupted `up` left is removed
 * first. Throws `usage` where this machine cannot hold a lab, `refused` if the lab is there with other hosts.
 */
export async function upLab(name: string, options: UpOptions = {}): Promise<Lab> {
  const place = labPlace(name, options.root);
  return withFolderLock(place.folder, 600_000, async () => {
    const there = await readRecord(place);
    if (there?.phase === 'up') {
      await startLab(place, there, options);
      return labOf(place, there);
    }
    await removeTraces(place);
    return labOf(place, await raiseLab(place, options));
  });
}

/** A lab that is there, whether its hosts run or not. Throws `usage` for one that is not. */
export async function openLab(name: string, options: { readonly root?: string | undefined } = {}): Promise<Lab> {
  const place = labPlace(name, options.root);
  const record = await readRecord(place);
  if (record !== undefined) return labOf(place, record);
  throw new QuorateError('usage', `there is no lab ${name}`, { hint: `quorate lab up ${name}` });
}

/** Removes every trace of a lab: machines, bridge, files. One that is not there is no error. */
export async function downLab(name: string, options: { readonly root?: string | undefined } = {}): Promise<DownResult> {
  const place = labPlace(name, options.root);
  const traces = (await exists(place.folder)) || (await bridgeExists(place.id)) || (await hasGroups(place.id));
  if (!traces) return { removed: false, reason: `nothing of a lab ${name} is here` };
  await withFolderLock(place.folder, 600_000, async () => {
    await removeTraces(place);
    await rm(place.folder, { recursive: true, force: true });
  });
  // The default root is the lab's own too; one that a caller named is the caller's.
  if (options.root === undefined) await rmdir(dirname(place.folder)).catch(() => undefined);
  return { removed: true, reason: `lab ${name}: machines, bridge and files removed` };
}

/** All labs under a root, sorted by name. */
export async function listLabs(options: { readonly root?: string | undefined } = {}): Promise<LabSummary[]> {
  const names = await labNames(options.root);
  return Promise.all(names.map((name) => summarizeLab(labPlace(name, options.root))));
}

/** The ssh command, as arguments, that opens a host as `ops` (or `user`), with `command` if there is one. */
export function sshCommand(lab: Lab, host: string, command: readonly string[] = [], user = 'ops'): string[] {
  return ['ssh', '-F', lab.ssh.configFile, '-l', user, lab.host(host).name, ...command];
}

async function removeTraces(place: LabPlace): Promise<void> {
  await clearGroups(place.id);
  await removeBridge(place.id);
  await rm(join(place.folder, 'hosts'), { recursive: true, force: true });
}

function labOf(place: LabPlace, record: LabRecord): Lab {
  const hosts = record.hosts.map((host) => hostOf({ place, record, host }));
  return {
    name: place.name,
    folder: place.folder,
    subnet: record.subnet,
    gateway: gatewayOf(record.subnet).ipv4,
    ssh: sshFiles(place),
    hosts,
    host: (name) => {
      const found = hosts.find((host) => host.name === name);
      if (found !== undefined) return found;
      throw new QuorateError(
        'usage',
        `lab ${place.name} has no host ${name}: it has ${hosts.map((host) => host.name).join(', ')}`,
      );
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
