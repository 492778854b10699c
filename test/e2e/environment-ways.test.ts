/** Ways to the hosts and to etcd: bastions, sshd that forbids forwarding, IPv6, names, other ports, paths and keys. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { changesNothing, clearHosts, expectDone, expectRefusal, openWardrobe, type Wardrobe } from './environment.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let wardrobe: Wardrobe;
let counter = 0;

beforeAll(async () => {
  stage = await openStage({ name: 'env-ways' });
  wardrobe = await openWardrobe(stage);
  await stage.quorate(['plan', '--accept-new-host-keys']);
});
afterEach(() => wardrobe?.wear({}));
afterAll(() => stage?.down());

/** Bootstraps what `patch` describes, with a PKI of its own, and finds nothing to do afterwards. */
async function bootstrapAs(patch: Readonly<Record<string, unknown>>): Promise<string> {
  counter += 1;
  await wardrobe.wear({ ...patch, state: { directory: `./state-${counter}` } });
  const run = expectDone(await stage.bootstrap());
  expect((await stage.quorate(['status'])).status).toBe(0);
  expectDone(await stage.quorate(['plan', '--exit-code']));
  return run.stdout;
}

describe('bastions', () => {
  it('reaches hosts through one of them, which alone they let in', async () => {
    const { gateway } = stage.lab;
    const closed = `table inet lab_gate { chain input { type filter hook input priority 0; ip saddr ${gateway} tcp dport 22 drop; }; }`;
    for (const number of [2, 3]) await stage.host(number).sh(['nft', '-f', '-'], { stdin: closed });
    try {
      await wardrobe.wear({ ssh: { connectTimeoutSeconds: 2 } });
      expect(expectRefusal(await stage.quorate(['plan']), 12)).toContain('2 of 3 hosts cannot be reached');
      const bastion = { address: stage.host(1).ipv4 };
      await bootstrapAs({ ssh: { bastion }, controllers: { 'etcd-1': { ssh: { bastion: 'none' } } } });
      await clearHosts(stage);
    } finally {
      for (const number of [2, 3]) await stage.host(number).sh('nft delete table inet lab_gate');
    }
  });
});

describe('sshd that forbids forwarding', () => {
  beforeAll(() => configureSshd('AllowTcpForwarding no'));
  afterAll(() => configureSshd('AllowTcpForwarding yes'));

  it('is refused before anything is changed, and told of direct access', async () => {
    const args = ['bootstrap', '--yes', '--new-identity', 'forwarding.txt'];
    const said = expectRefusal(await changesNothing(stage, () => stage.quorate(args)), 12);
    for (const { name, ipv4 } of stage.lab.hosts) {
      expect(said).toContain(`${name}: sshd at ${ipv4}:22 forbids forwarding to 127.0.0.1:2379`);
    }
    expect(said).toContain('`etcd.access: direct`');
    expect(said).toContain('AllowTcpForwarding yes');
  });

  it('does not hinder direct access to the client ports', async () => {
    await bootstrapAs({ etcd: { access: 'direct' } });
    await clearHosts(stage);
  });
});

describe('addresses', () => {
  it('builds on IPv6 alone', async () => {
    const controllers = Object.fromEntries(stage.lab.hosts.map((host) => [host.name, { address: host.ipv6 }]));
    await bootstrapAs({ controllers });
    const config = parse(await stage.host(1).sh('cat /etc/etcd/etcd-config.yml'));
    expect(config['advertise-client-urls']).toBe(`https://[${stage.host(1).ipv6}]:2379`);
    expect(JSON.stringify(config)).not.toContain(stage.host(1).ipv4);
    expect(await stage.host(1).sh('ss -Hltn "sport = :2380"')).toContain(`[${stage.host(1).ipv6}]:2380`);
    await stage.etcdctl(2, 'put over six');
    expect(await stage.etcdctl(3, 'get over --print-value-only')).toBe('six\n');
    await clearHosts(stage);
  });

  it('advertises DNS names, which certificates then hold', async () => {
    const lines = stage.lab.hosts.map((host) => `${host.ipv4} ${host.name}.cluster.example`).join('\n');
    for (const host of stage.lab.hosts) await host.sh(['sh', '-c', 'printf "%s\\n" "$1" >> /etc/hosts', 'sh', lines]);
    const controllers = Object.fromEntries(
      stage.lab.hosts.map((host) => [host.name, { advertiseAddress: `${host.name}.cluster.example` }]),
    );
    await bootstrapAs({ controllers });
    expect(await stage.etcdctl(1, 'member list')).toContain('https://etcd-3.cluster.example:2380');
    const names = await stage.host(3).sh('openssl x509 -in /etc/etcd/pki/peer.crt -noout -ext subjectAltName');
    expect(names).toContain('DNS:etcd-3.cluster.example');
    await clearHosts(stage);
  });
});

describe('what an inventory may say', () => {
  it('uses other paths, ports, unit and user, and leaves the usual ones alone', async () => {
    const usual = 'ls -lAR --time-style=full-iso /etc/etcd /var/lib/etcd /usr/local/lib /usr/local/bin 2>&1 || true';
    const before = await stage.host(2).sh(usual);
    await bootstrapAs({
      ports: { client: 12379, peer: 12380, metrics: 12381 },
      paths: {
        configDir: '/etc/k+v@store/_etcd-1',
        dataDir: '/srv/kv@data/+1',
        walDir: '/srv/k.v-wal',
        libDir: '/opt/kv+lib',
        binDir: '/opt/kv@bin',
      },
      service: { unit: 'kv-store.service', user: 'kv_store' },
    });
    const host = stage.host(2);
    expect(await host.sh('systemctl is-active kv-store')).toBe('active\n');
    expect(await host.sh(['stat', '-c', '%U:%G %a', '/srv/kv@data/+1', '/srv/k.v-wal'])).toBe(
      'kv_store:kv_store 700\nkv_store:kv_store 700\n',
    );
    expect(await host.sh('ss -Hltn "sport = :12379" | wc -l; ss -Hltn "sport = :2379" | wc -l')).toMatch(
      /^[1-9]\n0\n$/,
    );
    expect(await host.sh(usual)).toBe(before);
    expect(await host.sh(['bash', '--login', '-c', '/opt/kv@bin/etcdctl get x --write-out=fields'])).toContain(
      '"Revision"',
    );
    await clearHosts(stage);
  });

  it('refuses values that shells or systemd would read, all in one go, before any host is reached', async () => {
    await wardrobe.wear({
      paths: { configDir: '/etc/$$(touch /root/ran)', dataDir: '/srv/../etc', walDir: '/srv/a b', binDir: '/opt/`id`' },
      service: { unit: 'kv.service; reboot', user: 'root' },
      controllers: { 'etcd-1': { address: '-oProxyCommand=reboot' } },
      etcd: { 'log-level': 'info\nname: other' },
    });
    const said = expectRefusal(await changesNothing(stage, () => stage.quorate(['bootstrap', '--yes'])), 11);
    const places = ['paths.configDir', 'paths.dataDir', 'paths.walDir', 'paths.binDir', 'service.unit', 'service.user'];
    for (const place of [...places, 'controllers.etcd-1.address', 'etcd.log-level']) {
      expect(said).toMatch(new RegExp(`quorate\\.yml:\\d+:\\d+: ${place.replaceAll('.', '\\.')}: `));
    }
  });

  it('makes one authority for both, and RSA keys', async () => {
    await bootstrapAs({ pki: { authorities: 'single', algorithm: 'rsa-2048' } });
    const host = stage.host(1);
    expect(
      await host.sh(
        'cmp /etc/etcd/pki/ca.crt /etc/etcd/pki/peer-ca.crt; openssl x509 -in /etc/etcd/pki/server.crt -noout -text',
      ),
    ).toMatch(/Public-Key: \(2048 bit\)/);
    expect(await host.sh('openssl verify -x509_strict -CAfile /etc/etcd/pki/ca.crt /etc/etcd/pki/peer.crt')).toContain(
      'OK',
    );
    await clearHosts(stage);
  });

  it('makes P-384 keys, organisations and names that need quoting', async () => {
    await bootstrapAs({
      pki: { algorithm: 'ecdsa-p384', organization: `O'Brien & "Söhne", $$(id); --x=\\y` },
      controllers: { 'etcd-2': { sans: ['*.kv.example', '192.0.2.7', '2001:db8::7'] } },
    });
    const text = await stage.host(2).sh('openssl x509 -in /etc/etcd/pki/server.crt -noout -text -nameopt utf8');
    expect(text).toContain('ASN1 OID: secp384r1');
    expect(text).toContain('Söhne');
    expect(text).toMatch(/DNS:\*\.kv\.example/);
    expect(text).toContain('IP Address:192.0.2.7');
    await clearHosts(stage);
  });
});

async function configureSshd(line: string): Promise<void> {
  await Promise.all(
    stage.lab.hosts.map(async (host) => {
      await host.putFile('/etc/ssh/sshd_config.d/forwarding.conf', `${line}\n`, 0o644);
      await host.sh('systemctl restart ssh');
    }),
  );
}
