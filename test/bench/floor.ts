/** The floor: one plain ssh session a host, side by side, that unpacks and starts members whose every file is there. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sshCommand } from '../../src/lab/lab.ts';
import { runProgram } from '../../src/lab/program.ts';
import type { Arena } from './arena.ts';
import type { Contender } from './contenders.ts';
import { contest } from './files.ts';
import { measure } from './measure.ts';

/** The least that could be done: nothing is looked at, made, checked, locked, proved or written down. */
export async function floor(arena: Arena): Promise<Contender> {
  const layers = await makeLayers(arena);
  const { version, tarball } = arena.release;
  const library = `/usr/local/lib/etcd/${version}`;
  const session = `sudo sh -ec "tar -xzf - -C ${library} --strip-components=1
ln -s ${library}/etcd ${library}/etcdctl ${library}/etcdutl /usr/local/bin
systemctl daemon-reload
systemctl enable --quiet --now etcd
timeout 60 sh -c 'until curl -fs http://127.0.0.1:2381/health; do sleep 0.05; done'"`;
  const deploy = async (): Promise<number> => {
    await Promise.all(
      arena.lab.hosts.map(async ({ name, sh }) => {
        await sh(
          `tar -xf - -C /
useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin etcd
mkdir -p ${library}
install -d -m 0700 -o etcd -g etcd /var/lib/etcd
chown root:etcd /etc/etcd/etcd-config.yml
chown etcd:etcd /etc/etcd/pki/server.key /etc/etcd/pki/peer.key
chown root:etcd /etc/etcd/pki/client.key
sync`,
          { stdin: layers.get(name) },
        );
      }),
    );
    const startedAt = performance.now();
    await Promise.all(
      arena.lab.hosts.map(({ name }) =>
        measure(sshCommand(arena.lab, name, [session]), { input: tarball, signal: arena.signal }),
      ),
    );
    return performance.now() - startedAt;
  };
  return { name: 'floor', deploy };
}

/** A tar archive of all files of a host but the release, by host. */
async function makeLayers(arena: Arena): Promise<ReadonlyMap<string, Uint8Array>> {
  const scripts = join(contest, 'pki');
  const pki = join(arena.work, 'floor');
  await runProgram(['sh', join(scripts, 'authorities.sh'), pki]);
  const layers = new Map<string, Uint8Array>();
  for (const { name, ipv4 } of arena.lab.hosts) {
    const host = join(pki, `host-${name}`);
    const keys = join(host, 'etc/etcd/pki');
    await mkdir(keys, { recursive: true });
    await runProgram(['cp', '-r', join(arena.rendered, name, 'etc'), host]);
    await runProgram(['sh', join(scripts, 'keys.sh'), keys, 'root']);
    await runProgram(['sh', join(scripts, 'sign.sh'), pki, name, ipv4, join(keys, 'requests.pem')]);
    const issued = ['server', 'peer', 'client'].map((each) => join(pki, name, `${each}.crt`));
    await runProgram(['cp', join(pki, 'ca.crt'), join(pki, 'peer-ca.crt'), ...issued, keys]);
    await runProgram(['chmod', '-R', 'u=rwX,go=rX', join(host, 'etc')]);
    await runProgram(['sh', '-c', `chmod 600 ${keys}/server.key ${keys}/peer.key; chmod 640 ${keys}/client.key`]);
    layers.set(name, await archive(host));
  }
  return layers;
}

async function archive(folder: string): Promise<Uint8Array> {
  const text = await runProgram(['sh', '-c', `tar -C "$1" --owner=0 --group=0 -cf - etc | base64`, 'sh', folder]);
  return Buffer.from(text, 'base64');
}
