/** File systems that do not let: read-only, noexec, full; and umasks of every kind. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { changesNothing, clearHosts, expectDone, expectRefusal, openWardrobe, type Wardrobe } from './environment.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let wardrobe: Wardrobe;

beforeAll(async () => {
  stage = await openStage({ name: 'env-disk' });
  wardrobe = await openWardrobe(stage);
});
afterEach(async () => {
  for (const host of stage.lab.hosts) await host.exec('umount /var/lib/quorate');
  await clearHosts(stage);
  await wardrobe.wear({});
});
afterAll(() => stage?.down());

const bootstrap = () => stage.quorate(['bootstrap', '--yes', '--new-identity', 'first.txt']);

it('refuses a read-only /usr/local, and works with other folders for binaries and /tmp without exec', async () => {
  const host = stage.host(2);
  await host.remountReadOnly('/usr/local');
  await host.mountNoexec('/tmp');
  try {
    const said = expectRefusal(await changesNothing(stage, bootstrap), 13);
    expect(said).toContain('etcd-2: /usr/local/lib/etcd cannot be written: its file system is read-only');
    expect(said).toContain('etcd-2: /usr/local/bin cannot be written');
    expect(said).toContain('or choose another directory in the inventory');
    expect(said).not.toMatch(/etcd-[13]: .*read-only/);
    await wardrobe.wear({ paths: { libDir: '/opt/etcd/lib', binDir: '/opt/etcd/bin' } });
    expectDone(await stage.bootstrap());
    expect(await host.sh('readlink -f /proc/$(systemctl show -P MainPID etcd)/exe')).toBe(
      '/opt/etcd/lib/3.6.16/etcd\n',
    );
    expectDone(await stage.quorate(['plan', '--exit-code']));
  } finally {
    await host.unmount('/usr/local');
    await host.unmount('/tmp');
  }
});

describe('a full disk under /var/lib/quorate', () => {
  it('stops where it is, says on which host and why, and resumes once there is space', async () => {
    const host = stage.host(3);
    await host.limitDisk('/var/lib/quorate', 64 * 1024);
    const stopped = await stage.quorate(['bootstrap', '--yes']);
    const said = expectRefusal(stopped, 14);
    expect(said).toMatch(/etcd-3: .*No space left on device/);
    expect(said).not.toMatch(/etcd-[12]: .*No space left/);
    expect(await host.sh('ls /etc/systemd/system/etcd.service /var/lib/quorate/lock 2>&1 || true')).not.toMatch(/^\//m);
    await host.unmount('/var/lib/quorate');
    expectDone(await stage.bootstrap());
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });

  it('is told before anything is done where not even the lock fits', async () => {
    const host = stage.host(1);
    await host.limitDisk('/var/lib/quorate', 4096 * 4);
    await host.fillDisk('/var/lib/quorate');
    const said = expectRefusal(await changesNothing(stage, () => stage.quorate(['bootstrap', '--yes'])), 14);
    expect(said).toContain('etcd-1: the lock could not be taken');
    expect(said).toContain('full or read-only');
    await host.unmount('/var/lib/quorate');
    expectDone(await stage.bootstrap());
  });
});

it('leaves the same modes and owners behind whatever the umask of root and of the login', async () => {
  for (const [number, umask] of [
    [2, '077'],
    [3, '000'],
  ] as const) {
    const host = stage.host(number);
    await host.sh(`sed -i '1i umask ${umask}' /home/ops/.bashrc /root/.bashrc /etc/profile
printf 'session optional pam_umask.so umask=0${umask}\\n' >> /etc/pam.d/common-session
printf 'session optional pam_umask.so umask=0${umask}\\n' >> /etc/pam.d/common-session-noninteractive
printf 'Defaults umask=0${umask}\\nDefaults umask_override\\n' > /etc/sudoers.d/umask`);
    expect(await host.sh('su - ops -c "sudo sh -c umask"')).toBe(`0${umask}\n`);
  }
  expectDone(await stage.bootstrap());
  const [first = '', ...others] = await Promise.all(stage.lab.hosts.map((host) => host.sh(modes)));
  expect(first.split('\n').length).toBeGreaterThan(30);
  expect(first).toContain('/etc/etcd/pki.d/1/server.key f 600 etcd:etcd');
  expect(first).toContain('/var/lib/etcd d 700 etcd:etcd');
  for (const other of others) expect(other).toBe(first);
});

/** Everything of quorate and etcd on a host: path, type, mode, owner and group; names of WAL and snapshot files left out. */
const modes = `for each in /etc/etcd /etc/systemd/system/etcd.service /etc/profile.d/etcdctl.sh /etc/bash_completion.d \\
    /usr/local/lib/etcd /usr/local/bin /var/lib/quorate /var/lib/etcd /run/quorate; do
  find "$each" ! -name '*.wal' ! -name '*.tmp' ! -name '*.snap' -printf '%p %y %m %u:%g %l\\n'
done | LC_ALL=C sort`;
