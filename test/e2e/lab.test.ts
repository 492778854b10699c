import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downLab, type Lab, listLabs, openLab, sshCommand, upLab } from '../../src/lab/lab.ts';
import { startMirror } from '../../src/lab/mirror.ts';
import { ensureRelease } from '../../src/lab/releases.ts';
import { labPlace } from '../../src/lab/state.ts';

/** Over ssh(1), as anybody would. */
async function ssh(lab: Lab, host: string, command: string, user = 'ops'): Promise<string> {
  const [file = '', ...args] = sshCommand(lab, host, [command], user);
  return (await execa(file, args, { timeout: 20_000 })).stdout;
}

/** Whatever of a lab can be seen from outside its folder. */
async function traces(id: string): Promise<string[]> {
  const links = await readdir('/sys/class/net');
  const groups = (
    await execa('find', ['/sys/fs/cgroup', '-ignore_readdir_race', '-path', `*quorate-lab/${id}*`])
  ).stdout.split('\n');
  const processes = (await execa('ps', ['-eo', 'args'])).stdout.split('\n');
  return [
    ...links.filter((name) => name.includes(id)),
    ...groups.filter(Boolean),
    ...processes.filter((line) => line.includes('systemd-nspawn') && line.includes(`q${id}`)),
    ...(await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes('quorate-lab')),
  ];
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

  it('breaks a host on demand, and mends it', async () => {
    const host = lab.host('etcd-1');
    const now = async () => Number(await host.sh('date +%s'));
    await host.fakeClock(94);
    expect((await now()) - Date.now() / 1000).toBeGreaterThan(90);
    await host.fakeClock(0);
    expect(Math.abs((await now()) - Date.now() / 1000)).toBeLessThan(5);
    await host.limitDisk('/srv/small', 1024 * 1024);
    await host.fillDisk('/srv/small');
    expect((await host.exec('echo x > /srv/small/x')).status).not.toBe(0);
    await host.remountReadOnly('/usr/local');
    expect((await host.exec('touch /usr/local/x')).stderr).toContain('Read-only');
    await host.unmount('/usr/local');
    await host.mountNoexec('/opt');
    expect((await host.exec('cp /bin/true /opt/t; /opt/t')).status).toBe(126);
    await host.unmount('/opt');
    expect((await host.exec('/opt/t')).status).toBe(0);
    await host.fakeMemory(1024 ** 3);
    expect(await host.sh('grep MemTotal /proc/meminfo')).toContain(' 1048576 kB');
  });

  it('cuts a port and the whole network, and connects them again', async () => {
    const reach = (port: number) =>
      lab.host('etcd-2').exec(['timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${lab.host('etcd-1').ipv4}/${port}`]);
    await lab.host('etcd-1').cutPort(22);
    expect((await reach(22)).status).not.toBe(0);
    await lab.host('etcd-1').openPorts();
    expect((await reach(22)).status).toBe(0);
    await lab.host('etcd-1').linkDown();
    expect((await reach(22)).status).not.toBe(0);
    await lab.host('etcd-1').linkUp();
    await expect.poll(async () => (await reach(22)).status, { timeout: 10_000 }).toBe(0);
  });

  it('downloads an etcd release from the mirror, in two parts, and runs it', async () => {
    const release = await ensureRelease('3.5.16');
    const mirror = await startMirror(release.root, lab.gateway, { cutAfterBytes: 12_000_000 });
    const host = lab.host('etcd-1');
    const file = 'etcd-v3.5.16-linux-amd64.tar.gz';
    const download = ['curl', '-fsS', '-C', '-', '-o', `/root/${file}`, `${mirror.url}/v3.5.16/${file}`];
    expect((await host.exec(download)).status).not.toBe(0);
    expect((await host.exec(download)).status).toBe(0);
    await mirror.close();
    expect(await host.sh(`sha256sum < /root/${file}`)).toBe(`${release.sha256}  -\n`);
    expect(await host.sh(`cd /root && tar xzf ${file} && etcd-v3.5.16-linux-amd64/etcd --version`)).toContain('3.5.16');
    expect(mirror.requests.map((line) => line.split(' ').at(-1))).toEqual(['200', '206']);
  });

  it('ends what it started inside a host when the time is over', async () => {
    await expect(lab.host('etcd-1').sh('sleep 7777 & wait', { timeoutMs: 300 })).rejects.toThrow('300 ms');
    expect((await lab.host('etcd-1').exec('pgrep -f "^sleep 7777"')).status).toBe(1);
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
    const id = labPlace('other', root).id;
    await downLab('other', { root });
    expect(await traces(id)).toEqual([]);
    expect(await ssh(lab, 'etcd-1', 'hostname')).toBe('etcd-1');
  });

  it('leaves nothing when it is taken down, and down again says why it does nothing', async () => {
    const id = labPlace('pair', root).id;
    expect(await traces(id)).toContain(`quorate-${id}`);
    expect(await downLab('pair', { root })).toMatchObject({ removed: true });
    expect(await traces(id)).toEqual([]);
    expect(await listLabs({ root })).toEqual([]);
    expect(await downLab('pair', { root })).toEqual({ removed: false, reason: 'nothing of a lab pair is here' });
  });
});

describe('a lab whose making is cut short', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quorate-lab-cut-'));
    const source = `import { upLab } from ${JSON.stringify(join(import.meta.dirname, '../../src/lab/lab.ts'))};
      process.stdout.write('begun');
      upLab('cut', { root: process.argv[2] });`;
    const stdin = { contents: source, loader: 'ts' as const, resolveDir: folder };
    await build({ stdin, outfile: join(folder, 'up.cjs'), bundle: true, platform: 'node', logLevel: 'error' });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([20, 60, 120, 250, 400, 700])('leaves nothing after down when it was killed at %i ms', async (delayMs) => {
    const child = spawn(process.execPath, [join(folder, 'up.cjs'), root], { stdio: ['ignore', 'pipe', 'inherit'] });
    // On a quick machine it is up, and gone by itself, before the last of these.
    const gone = once(child, 'exit');
    await once(child.stdout, 'data');
    await sleep(delayMs);
    child.kill('SIGKILL');
    await gone;
    await downLab('cut', { root });
    expect(await traces(labPlace('cut', root).id)).toEqual([]);
    expect(await listLabs({ root })).toEqual([]);
  });

  it('leaves no cable whose host is gone', async () => {
    const { id } = labPlace('cut', root);
    await upLab('cut', { root, hosts: ['a'] });
    await execa('ip', ['link', 'add', `vb-q${id}-9`, 'type', 'veth', 'peer', 'name', `q${id}-left`]);
    await downLab('cut', { root });
    expect(await traces(id)).toEqual([]);
  });

  it('is made anew by the next up', async () => {
    const lab = await upLab('cut', { root, hosts: ['a'] });
    const file = join(lab.folder, 'lab.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"up"', '"starting"'));
    const again = await upLab('cut', { root, hosts: ['a'] });
    expect(await ssh(again, 'a', 'hostname')).toBe('a');
    await downLab('cut', { root });
  });
});
