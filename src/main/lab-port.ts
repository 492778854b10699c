/** Labs as verbs use them: hosts, a release of etcd that this machine can get, and an inventory for both. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabPort } from '../commands/lab-port.ts';
import { replaceFile } from '../files/replace.ts';
import { demoRelease } from '../lab/demo-release.ts';
import { downLab, listLabs, openLab, sshCommand, upLab } from '../lab/lab.ts';
import { labInventory } from '../lab/lab-inventory.ts';
import { countedHosts } from '../lab/raise.ts';
import type { Ui } from '../ui/output.ts';

export function labPort(ui: Ui): LabPort {
  const say = (line: string): void => ui.note(line);
  return {
    up: async (name, { hosts, etcd }) => {
      const lab = await upLab(name, { hosts: countedHosts(hosts), say });
      const release = await demoRelease(etcd, say);
      const inventory = join(lab.folder, 'quorate.yml');
      const identity = join(lab.folder, 'identity.txt');
      const binaries = { source: 'file', path: release.tarball };
      const text = labInventory(lab, { name, version: release.version, binaries, acceptHazards: release.hazards });
      await mkdir(lab.folder, { recursive: true });
      await replaceFile(inventory, text, { mode: 0o644 });
      return { name, inventory, identity, hosts: lab.hosts.map((each) => ({ name: each.name, ipv4: each.ipv4 })) };
    },
    down: (name) => downLab(name),
    list: () => listLabs(),
    ssh: async (name, host, command) => {
      const [program = 'ssh', ...args] = sshCommand(await openLab(name), host, command);
      const { execa } = await import('execa');
      const { exitCode } = await execa(program, args, { stdio: 'inherit', reject: false });
      return exitCode ?? 1;
    },
  };
}
