/** Folders that are no plain ones: disks mounted on the data and WAL dirs, links, and links to binaries outside of PATH. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy, expectRefusal } from './host-state.ts';
import { bootstrapArguments, openStage, type Stage } from './stage.ts';

const paths = 'paths: {dataDir: /srv/data/etcd, walDir: /srv/wal, binDir: /opt/etcd/bin}\n';
const disks = `set -e
mkdir -p /srv/data/etcd /srv/disk/etcd /srv/wal
mount --bind /srv/disk/etcd /srv/data/etcd
mount -t tmpfs -o size=1500m tmpfs /srv/wal
mkdir /srv/data/etcd/lost+found /srv/wal/lost+found`;

describe('a member whose data and WAL dirs are disks of their own', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-folders', hosts: 1 });
    await stage.edit((text) => `${text}${paths}`);
    await stage.host(1).sh(disks);
  });
  afterAll(() => stage?.down());

  it('is built', async () => {
    await stage.bootstrap();
    await stage.etcdctl(1, 'put precious value');
    await expectHealthy(stage);
    expect(await stage.host(1).sh('ls /srv/disk/etcd')).toBe('lost+found\nmember\n');
  });

  it('can be asked by people at a login shell, though its binaries are outside of PATH', async () => {
    expect(await stage.host(1).sh(['bash', '--login', '-c', 'command -v etcdctl'])).toBe('/opt/etcd/bin/etcdctl\n');
    expect(await stage.etcdctl(1, 'endpoint health 2>&1')).toContain('is healthy');
  });

  it('has its data moved aside on the same disks', async () => {
    expect((await stage.quorate(['reset', '--yes-destroy', stage.cluster])).status).toBe(0);
    expect(await stage.host(1).sh('cat /srv/disk/etcd/aside.*/member/snap/db | grep -c precious')).not.toBe('0\n');
    expect(await stage.host(1).sh('cat /srv/wal/aside.*/wal/*.wal | grep -c precious')).not.toBe('0\n');
    expect(await stage.host(1).sh('ls /srv /srv/data; findmnt -n -o TARGET /srv/wal')).toBe(
      '/srv:\ndata\ndisk\nwal\n\n/srv/data:\netcd\n/srv/wal\n',
    );
  });

  it('is built again beside that, and its data alone is deleted', async () => {
    await stage.bootstrap();
    expect(await stage.etcdctl(1, 'get precious --print-value-only')).toBe('');
    const run = await stage.quorate(['reset', '--yes-destroy', stage.cluster, '--delete-data']);
    expect(run.status, run.stderr).toBe(0);
    expect(await stage.host(1).sh('ls /srv/data/etcd /srv/wal | sed "s/aside.*/aside/"')).toBe(
      '/srv/data/etcd:\naside\nlost+found\n\n/srv/wal:\naside\nlost+found\n',
    );
  });

  it('is refused where a link stands in the place of the folder', async () => {
    await stage.host(1).sh('umount /srv/data/etcd && rmdir /srv/data/etcd && ln -s /srv/disk/etcd /srv/data/etcd');
    await expectRefusal(stage, bootstrapArguments(true), {
      status: 13,
      words: ['etcd-1: /srv/data/etcd is a symbolic link to /srv/disk/etcd', 'name the folder itself in the inventory'],
      data: ['/srv/disk'],
    });
  });
});
