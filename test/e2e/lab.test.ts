import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downLab, type Lab, listLabs, openLab, sshCommand, upLab } from '../../src/lab/lab.ts';

/** Over ssh(1), as anybody would. */
async function ssh(lab: Lab, host: string, command: string, user = 'ops'): Promise<string> {
  const [file = '', ...args] = sshCommand(lab, host, [command], user);
  return (await execa(file, args, { timeout: 20_000 })).stdout;
}

/** Whatever of a lab can be seen from outside its folder. */
async function traces(id: string): Promise<string[]> {
  const links = await readdir('/sys/class/net');
  const groups = (await execa('find', ['/sys/fs/cgroup', '-path', `*quorate-lab/${id}*`])).stdout.split('\n');
  const processes = (await execa('ps', ['-eo', 'args'])).stdout.split('\n');
  return [
    ...links.filter((name) => name.includes(id)),
    ...groups.filter(Boolean),
    ...processes.filter((line) => line.includes('systemd-nspawn') && line.includes(`q${id}`)),
    ...(await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes('quorate-lab')),
  ];
}

/** The id of a lab that is up or was begun. */
async function idOf(root: string, name: string): Promise<string> {
  const record: { id: string } = JSON.parse(await readFile(join(root, name, 'lab.json'), 'utf8'));
  return record.id;
}

let root = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-lab-test-'));
});

afterAll(async () => {
  for (const lab of await listLabs({ root })) await downLab(lab.name, { root });
  await rm(root, { recursive: true, force: true });
});

describe('a lab of two hosts', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await upLab('pair', { root, hosts: ['etcd-1', 'etcd-2'] });
  });

  it('lets ops in over ssh with passwordless sudo, and root by key', async () => {
    expect(await ssh(lab, 'etcd-1', 'hostname; whoami; sudo -n whoami')).toBe('etcd-1\nops\nroot');
    expect(await ssh(lab, 'etcd-2', 'hostname; whoami', 'root')).toBe('etcd-2\nroot');
  });

  it('has a real systemd as process 1 and no failed unit', async () => {
    const host = lab.host('etcd-1');
    expect(await host.sh('cat /proc/1/comm; systemctl is-system-running')).toBe('systemd\nrunning\n');
  });

  it('lets hosts reach each other by name, over IPv4 and IPv6', async () => {
    const greet = (address: string) => `exec 3<>/dev/tcp/${address}/22; head -c 4 <&3`;
    for (const address of ['etcd-2', lab.host('etcd-2').ipv4, lab.host('etcd-2').ipv6]) {
      expect(await lab.host('etcd-1').sh(['bash', '-c', greet(address)])).toBe('SSH-');
    }
  });

  it('keeps the units of one host apart from those of another', async () => {
    await lab.host('etcd-1').sh('systemd-run --unit=same sleep 600');
    await lab.host('etcd-2').sh('systemd-run --unit=same sleep 600');
    await lab.host('etcd-1').sh('systemctl stop same', { timeoutMs: 10_000 });
    expect(await lab.host('etcd-2').sh('systemctl is-active same')).toBe('active\n');
  });

  it('keeps files and host keys through a reboot', async () => {
    const host = lab.host('etcd-1');
    await host.putFile('/var/lib/kept', 'kept\n', 0o640);
    const before = await host.sh('cat /proc/sys/kernel/random/boot_id');
    await host.reboot();
    expect(await host.sh('cat /proc/sys/kernel/random/boot_id')).not.toBe(before);
    expect(await ssh(lab, 'etcd-1', 'sudo cat /var/lib/kept; stat -c %a /var/lib/kept')).toBe('kept\n640');
  });

  it('comes back from a shutdown and from a power cut', async () => {
    const host = lab.host('etcd-2');
    await host.powerOff();
    expect(await host.isRunning()).toBe(false);
    expect(await listLabs({ root })).toMatchObject([{ name: 'pair', state: 'partial' }]);
    await host.start();
    await host.powerCut();
    expect(await host.isRunning()).toBe(false);
    await upLab('pair', { root });
    expect(await ssh(lab, 'etcd-2', 'hostname')).toBe('etcd-2');
  });

  it('refuses to be brought up again with other hosts', async () => {
    await expect(upLab('pair', { root, hosts: ['other'] })).rejects.toMatchObject({ code: 'refused' });
  });

  it('is found again by another process', async () => {
    expect((await openLab('pair', { root })).hosts.map((host) => host.name)).toEqual(['etcd-1', 'etcd-2']);
    await expect(openLab('none', { root })).rejects.toMatchObject({ code: 'usage' });
  });

  it('stands beside a second lab, whose end it does not notice', async () => {
    const other = await upLab('other', { root, hosts: ['etcd-1'] });
    expect(other.subnet).not.toEqual(lab.subnet);
    expect(await ssh(other, 'etcd-1', 'hostname -I')).toContain(other.host('etcd-1').ipv4);
    const id = await idOf(root, 'other');
    await downLab('other', { root });
    expect(await traces(id)).toEqual([]);
    expect(await ssh(lab, 'etcd-1', 'hostname')).toBe('etcd-1');
  });

  it('leaves nothing when it is taken down, and down again says why it does nothing', async () => {
    const id = await idOf(root, 'pair');
    expect(await downLab('pair', { root })).toMatchObject({ removed: true });
    expect(await traces(id)).toEqual([]);
    expect(await listLabs({ root })).toEqual([]);
    expect(await downLab('pair', { root })).toEqual({ removed: false, reason: 'nothing of a lab pair is here' });
  });
});
