import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { parseOs } from '../../../src/observe/parse-host.ts';
import { parseProbe } from '../../../src/observe/parse-probe.ts';
import { answer, changed, recorded, recordsOf, textsOf } from './sample-probe.ts';

const member = recorded('debian-12-member');
const empty = recorded('debian-12-empty');
const now = Date.UTC(2026, 10, 21, 5, 30);

function parse(output: string, sentAt?: number) {
  return parseProbe(output, { host: 'etcd-1', receivedAt: now, sentAt });
}

describe('an answer recorded on Debian 12 with a running member', () => {
  const facts = parse(member);

  it('tells system, unit, process and listeners', () => {
    expect(facts.os).toEqual({ id: 'debian', like: [], version: '12', pretty: 'Debian GNU/Linux 12 (bookworm)' });
    expect(facts).toMatchObject({ hostname: 'etcd-1', machine: 'x86_64', supervisor: 'systemd', systemdVersion: 252 });
    expect(facts).toMatchObject({
      root: true,
      missingTools: [],
      keyTool: 'ssh-keygen',
      readOnlyPaths: [],
      packages: [],
      packageData: [],
    });
    expect(facts.machineId).toMatch(/^[0-9a-f]{32}$/);
    expect(facts.user).toEqual({ exists: true, group: 'etcd', shell: '/usr/sbin/nologin' });
    expect(facts.addresses).toEqual(['198.18.204.11', 'fd71:756f:7261:cd::11']);
    expect(facts.unit).toMatchObject({
      ...{ loadState: 'loaded', activeState: 'active', subState: 'running', fileState: 'enabled', restarts: 0 },
      ...{ fragmentPath: '/etc/systemd/system/etcd.service', dropIns: [], needsDaemonReload: false, lastExit: '' },
    });
    expect(facts.processes).toEqual([
      {
        pid: facts.unit.mainPid,
        executable: '/usr/local/lib/etcd/3.6.16/etcd',
        arguments: ['/usr/local/bin/etcd', '--config-file=/run/quorate/new.yml'],
        unit: 'etcd.service',
        version: '3.6.16',
      },
    ]);
    expect(facts.listeners.map(({ address, port, process }) => `${address}:${port} ${process}`)).toEqual([
      '127.0.0.1:2379 etcd',
      '198.18.204.11:2379 etcd',
      '198.18.204.11:2380 etcd',
      '127.0.0.1:2381 etcd',
    ]);
  });

  it('tells files, certificates, data and records', () => {
    expect(facts.files['/etc/etcd/pki']).toEqual({ kind: 'link', target: 'pki.d/1' });
    expect(facts.files['/etc/etcd/pki/server.key']).toEqual({
      ...{ kind: 'file', mode: '0600', owner: 'etcd', group: 'etcd', sha256: '' },
    });
    expect(facts.files['/usr/local/lib/etcd/3.6.16/etcd']).toMatchObject({
      sha256: 'a07eb520a05975c8eac8e1201d4d66e8448680fbcab27449dd2beecf4585f38b',
    });
    expect(facts.files['/var/lib/etcd']).toEqual({ kind: 'directory', mode: '0700', owner: 'etcd', group: 'etcd' });
    expect(facts.texts['/etc/etcd/etcd-config.yml']).toContain('initial-cluster-state: existing\n');
    expect(new X509Certificate(facts.certificates['/etc/etcd/pki/server.crt'] ?? '').subject).toBe('CN=server');
    expect(facts.data).toMatchObject({ wal: true, entries: ['member'] });
    expect(facts.records.attempt?.memberId).toBe('2222222222222222');
    expect(facts.records.marker).toMatchObject({ cluster: 'demo', healthyAt: '2026-11-21T05:00:00Z' });
    expect(facts.records.starting).toBeUndefined();
    expect(facts.records.lock).toMatchObject({
      ...{ token: 'tok', owner: 'ann@laptop', command: 'quorate bootstrap', holderAlive: true },
      scripts: [expect.any(Number)],
    });
    expect(facts.run).toMatchObject({ configSha256: 'a', peerCaSha256: 'c', binarySha256: 'd' });
  });

  it('has no record of the running process when the unit was started anew', () => {
    const unit = recordsOf(member)
      .find(([key]) => key === 'unit')?.[1]
      .replace(/InvocationID=.*/, 'InvocationID=f00');
    expect(parse(changed(member, { unit })).run).toBeUndefined();
  });
});

describe('an answer recorded on an empty Debian 12', () => {
  it('has nothing of etcd', () => {
    const facts = parse(empty);
    expect(facts.unit).toMatchObject({ loadState: 'not-found', activeState: 'inactive', mainPid: 0 });
    expect(facts).toMatchObject({ processes: [], listeners: [], certificates: {}, texts: {}, run: undefined });
    expect(facts.user).toEqual({ exists: false, group: '', shell: '' });
    expect(facts.data).toEqual({ dataDir: { kind: 'absent' }, wal: false, entries: [] });
    expect(facts.records).toEqual({ attempt: undefined, starting: undefined, marker: undefined, lock: undefined });
  });
});

describe('parts of an answer', () => {
  it.each([
    ['NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n', 'alpine', [], '3.20.3'],
    [
      'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n',
      'ubuntu',
      ['debian'],
      '22.04',
    ],
    [
      `NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME='Rocky Linux 9.4'\n`,
      'rocky',
      ['rhel', 'centos', 'fedora'],
      '9.4',
    ],
    ['', 'unknown', [], ''],
  ])('tells distributions apart: %j', (text, id, like, version) => {
    expect(parseOs(text)).toMatchObject({ id, like, version });
  });

  it('tells a host without systemd, ip and openssl, whose date has no fractions', () => {
    const tables = [
      'Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.0\n        /24 link UNICAST',
      '     |-- 10.0.0.7\n        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL',
      'fd000000000000000000000000000007 02 40 00 80     eth0',
      'fe800000000000000000000000000007 02 40 20 80     eth0\n',
    ].join('\n');
    const change = { systemd: 'no', 'systemd-version': '', unit: '', addresses: '', 'address-tables': tables };
    const tools = { 'missing-tools': 'systemctl useradd ', 'key-tool': '', clock: `${now / 1000}.` };
    const facts = parse(changed(empty, { ...change, ...tools }));
    expect(facts).toMatchObject({ supervisor: 'other', systemdVersion: 0, keyTool: undefined, clockOffsetMs: 500 });
    expect(facts.missingTools).toEqual(['systemctl', 'useradd']);
    expect(facts.addresses).toEqual(['10.0.0.7', 'fd00::7']);
    expect(facts.unit.loadState).toBe('not-found');
  });

  it("corrects the clock by half of the time on the wire, without the script's own time", () => {
    const clock = `${now / 1000 + 94}.000000000`;
    const late = changed(empty, { clock, uptimes: '100.00 103.00' });
    expect(parse(late).clockOffsetMs).toBe(94_000);
    expect(parse(late, now - 5000).clockOffsetMs).toBe(95_000);
    expect(parse(late, now - 2000).clockOffsetMs).toBe(94_000);
  });

  it('reads disks: read-only, without inodes of a fixed number, spinning', () => {
    const facts = parse(
      changed(empty, {
        disks: '4096 1000 10 500 400\n1024 2000 20 0 0\n',
        rotational: '1 - ',
        unwritable: '/usr/local/lib/etcd\n/usr/local/bin\n',
      }),
    );
    expect(facts.disk).toEqual({
      ...{ sizeBytes: 4_096_000, freeBytes: 40_960, freeInodes: 400, rotational: true, readOnly: false },
    });
    expect(facts.libDisk).toMatchObject({ freeInodes: Number.MAX_SAFE_INTEGER, rotational: undefined, readOnly: true });
    expect(facts.readOnlyPaths).toEqual(['/usr/local/lib/etcd', '/usr/local/bin']);
  });

  it('reads listeners of both families, and says pid 0 where nobody is known to own one', () => {
    const sockets = [
      '00000000:094B 11',
      '00000000000000000000000000000000:094C 12',
      '0000000000000000FFFF00000100007F:094D 13',
      'B80D01200000000000000000010000FF:094B 14',
    ];
    const facts = parse(changed(empty, { sockets: sockets.join('\n'), owners: '11 77 nginx: master\n12 self x\n' }));
    expect(facts.listeners).toEqual([
      { address: '0.0.0.0', port: 2379, pid: 77, process: 'nginx: master' },
      { address: '2001:db8::ff00:1', port: 2379, pid: 0, process: '' },
      { address: '::', port: 2380, pid: 0, process: '' },
      { address: '127.0.0.1', port: 2381, pid: 0, process: '' },
    ]);
  });

  it('reads packages, their hold, and how the last process ended', () => {
    const unit = 'LoadState=loaded\nActiveState=failed\nExecMainCode=2\nExecMainStatus=9\n';
    const packages = 'hi  etcd-server 3.4.23-4+b4\nrc  etcd 3.3\nii etcd 3.5\ndata /var/lib/etcd/default\n';
    const facts = parse(changed(empty, { packages, unit }));
    expect(facts.packageData).toEqual(['/var/lib/etcd/default']);
    expect(facts.packages).toEqual([
      { name: 'etcd-server', version: '3.4.23-4+b4', held: true },
      { name: 'etcd', version: '3.5', held: false },
    ]);
    expect(facts.unit.lastExit).toBe('killed KILL');
    expect(parse(changed(empty, { unit: 'ExecMainCode=1\nExecMainStatus=1\n' })).unit.lastExit).toBe('exited 1');
  });

  it('leaves out an etcd that ended while it was looked at', () => {
    const records = recordsOf(empty);
    const gone = answer([['process', '12\n\n\n\n'], ...records], textsOf(empty));
    expect(parse(gone).processes).toEqual([]);
  });
});

describe('a changed answer', () => {
  it.each([
    ['a record that is missing', changed(member, { wal: undefined })],
    ['a record that is unknown', answer([['more', 'x'], ...recordsOf(member)], textsOf(member))],
    ['a record that stands twice', answer([['wal', 'yes'], ...recordsOf(member)], textsOf(member))],
    ['no last record', changed(member, { end: undefined })],
    ['texts that are shorter than their files', answer(recordsOf(member), textsOf(member).subarray(1))],
    ['a file system line that is none', changed(member, { disks: 'none' })],
    ['a clock that is none', changed(member, { clock: 'yesterday' })],
    ['a lock that is none', changed(member, { lock: 'a\nb' })],
    ['a note that is a link', withLinkForMarker()],
    ['nothing at all', ''],
    ['a message instead', 'sudo: a password is required\n'],
  ])('is refused, naming the host: %s', (_, output) => {
    expect(() => parse(output)).toThrow(/^etcd-1: the probe's answer is not understood: /);
  });

  it('names the missing base64', () => {
    const bare = 'quorate-probe 2 begin\nquorate-probe 2 end\n';
    expect(() => parse(bare)).toThrow('etcd-1: base64 is missing on this host');
  });

  it('is found behind whatever a stage printed', () => {
    expect(parse(`progress\nquorate-probe 2 begin\nAAAA\n${member}trailer`)).toEqual(parse(member));
  });

  it('is refused wherever it was cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: member.length - 'quorate-probe 2 end\n'.length }), (length) => {
        expect(() => parse(member.slice(0, length))).toThrow(QuorateError);
      }),
    );
  });

  it('never throws anything but a QuorateError', () => {
    const records = recordsOf(member);
    const damage = fc.record({
      index: fc.nat(records.length - 1),
      at: fc.nat(4000),
      take: fc.nat(5),
      put: fc.oneof(fc.string(), fc.constantFrom('\n', ' ', '|', '/', '=', '0', '\0', ':')),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        const next = records.map(([key, value]) => [key, value] as const);
        for (const { index, at, take, put } of damages) {
          const [key, value] = next[index] ?? ['', ''];
          const place = value.length === 0 ? 0 : at % (value.length + 1);
          next[index] = [key, value.slice(0, place) + put + value.slice(place + take)];
        }
        onlyQuorateErrors(() => parse(answer(next, textsOf(member))));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.nat(member.length), fc.string(), (at, put) => {
        onlyQuorateErrors(() => parse(member.slice(0, at) + put + member.slice(at + put.length)));
      }),
      { numRuns: 300 },
    );
  });
});

function onlyQuorateErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(QuorateError);
  }
}

/** The answer of a host on which a symbolic link to nowhere stands in the place of the marker. */
function withLinkForMarker(): string {
  const path = '/var/lib/quorate/marker.json';
  const values = new Map(recordsOf(member));
  const lines = (key: string): string[] => (values.get(key) ?? '').split('\n');
  const stats = lines('stats').map((line) => (line.endsWith(`|${path}`) ? line.replace(/^8/, 'a') : line));
  const texts = lines('texts').filter((each) => each !== path);
  const size = Number(stats.find((line) => line.endsWith(`|${path}`))?.split(' ')[4]);
  const change = {
    stats: stats.join('\n'),
    texts: texts.join('\n'),
    links: `${values.get('links')}${path}\n`,
    targets: `${values.get('targets')}\n/nowhere`,
  };
  const before = lines('texts').slice(0, lines('texts').indexOf(path));
  const at = before.reduce(
    (sum, each) =>
      sum +
      Number(
        lines('stats')
          .find((line) => line.endsWith(`|${each}`))
          ?.split(' ')[4],
      ),
    0,
  );
  const whole = textsOf(member);
  const rest = Buffer.concat([whole.subarray(0, at), whole.subarray(at + size)]);
  return answer(recordsOf(changed(member, change)), rest);
}
