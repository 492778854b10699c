/** What the survey's scripts print, read strictly. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMemberList } from '../../../src/adopt/member-list.ts';
import { parseDetails, parseKey, parseSurvey } from '../../../src/adopt/survey.ts';
import { SURVEY_BEGIN, SURVEY_END } from '../../../src/adopt/survey-script.ts';
import { QuorateError } from '../../../src/domain/errors.ts';

type Line = readonly [string, string];

function answer(lines: readonly Line[]): string {
  const records = [...lines, ['end', 'ok'] as const].map(
    ([key, text]) => `${key} ${Buffer.from(text).toString('base64')}`,
  );
  return ['motd of the host', SURVEY_BEGIN, ...records, SURVEY_END, ''].join('\n');
}

const member: readonly Line[] = [
  ['process', '812'],
  ['executable', '/usr/bin/etcd (deleted)'],
  ['user', 'etcd'],
  ['cwd', '/'],
  ['cgroup', '0::/system.slice/etcd.service\n'],
  ['arguments', '/usr/bin/etcd\0--name\0etcd-1\0'],
  ['environment', 'ETCD_DATA_DIR=/var/lib/etcd/default\nPATH=/bin\n'],
  ['version', 'etcd Version: 3.4.23\nGit SHA: Not provided\n'],
  [
    'unit',
    'Id=etcd.service\nFragmentPath=/lib/systemd/system/etcd.service\nDropInPaths=/etc/systemd/system/etcd.service.d/a.conf\n',
  ],
];

describe('a survey', () => {
  it('tells the process of a unit', () => {
    const found = parseSurvey(
      answer([
        ['hostname', 'etcd-1'],
        ['addresses', '2: eth0    inet 10.0.0.1/24 scope global eth0\n'],
        ['manifest', '/etc/kubernetes/manifests/etcd.yaml'],
        ['there', '/etc/etcd/pki directory'],
        ...member,
        ['units', 'etcd.service enabled enabled\n'],
      ]),
      'etcd-1',
    );
    expect(found).toMatchObject({
      hostname: 'etcd-1',
      addresses: ['10.0.0.1'],
      there: { '/etc/etcd/pki': 'directory' },
      units: ['etcd.service'],
      manifest: '/etc/kubernetes/manifests/etcd.yaml',
    });
    expect(found.processes).toEqual([
      {
        pid: 812,
        executable: '/usr/bin/etcd',
        user: 'etcd',
        cwd: '/',
        supervisor: 'systemd',
        unit: 'etcd.service',
        fragmentPath: '/lib/systemd/system/etcd.service',
        dropIns: ['/etc/systemd/system/etcd.service.d/a.conf'],
        version: '3.4.23',
        arguments: ['--name', 'etcd-1'],
        environment: { ETCD_DATA_DIR: '/var/lib/etcd/default' },
        configText: undefined,
      },
    ]);
  });

  it.each([
    ['0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-ab.scope', 'static-pod'],
    ['12:cpu:/kubepods/burstable/pod12/ab', 'static-pod'],
    ['0::/system.slice/docker-0123456789abcdef.scope', 'container'],
    ['0::/machine.slice/libpod-1.scope', 'container'],
    ['0::/user.slice/user-0.slice/session-1.scope', 'process'],
    ['0::/system.slice/etcd.service', 'systemd'],
  ])('knows who runs it by its group: %s', (group, supervisor) => {
    const lines = member.map(([key, text]): Line => (key === 'cgroup' ? [key, `${group}\n`] : [key, text]));
    expect(parseSurvey(answer(lines), 'h').processes[0]?.supervisor).toBe(supervisor);
  });

  it('leaves out what runs no member', () => {
    const lines = member.map(
      ([key, text]): Line => (key === 'arguments' ? [key, 'etcd\0grpc-proxy\0start\0'] : [key, text]),
    );
    expect(parseSurvey(answer(lines), 'h').processes).toEqual([]);
  });

  it.each(['', 'sh: base64: not found', answer(member).slice(0, -40), answer(member).replace('user ', 'user !')])(
    'that was cut or changed is refused (%#)',
    (text) => {
      expect(() => parseSurvey(text, 'etcd-1')).toThrow(/etcd-1: what it says of its etcd is not understood/);
    },
  );

  it('fails in no other way, whatever a host prints', () => {
    const lines = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,12}$/), fc.string()));
    fc.assert(
      fc.property(fc.oneof(fc.string(), lines.map(answer)), (text) => {
        for (const parse of [parseSurvey, parseDetails, parseKey]) {
          try {
            parse(text, 'h');
          } catch (error) {
            expect(error).toBeInstanceOf(QuorateError);
          }
        }
      }),
    );
  });
});

it('reads of details what is looked at, and certificates alone', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const found = parseDetails(
    answer([
      ['seen', '/var/lib/etcd|directory|700|etcd|etcd'],
      ['certificate', '/a.pem'],
      ['text', pem],
      ['certificate', '/empty.pem'],
      ['text', ''],
      ['answer', 'HTTP/1.1 200 OK\r\n'],
    ]),
    'h',
  );
  expect(found.seen).toEqual({ '/var/lib/etcd': { kind: 'directory', mode: '0700', owner: 'etcd', group: 'etcd' } });
  expect(found.certificates).toEqual({ '/a.pem': pem });
});

describe('the peer port’s list of members', () => {
  const body =
    '[{"id":9372538179322589801,"peerURLs":["http://10.0.0.1:2380"],"name":"etcd-1","clientURLs":["http://10.0.0.1:2379"]},{"id":10501334649042878790,"peerURLs":["http://10.0.0.2:2380"],"name":"","isLearner":true}]';
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Etcd-Cluster-Id: cdf818194e3a8c32\r\n';

  it('has IDs of 64 bits to the last digit', () => {
    const list = parseMemberList(`${head}\r\n${body}\n`);
    expect(list?.clusterId).toBe('cdf818194e3a8c32');
    expect(list?.members.map(({ id, name, learner }) => ({ id, name, learner }))).toEqual([
      { id: '8211f1d0f64f3269', name: 'etcd-1', learner: false },
      { id: '91bc3c398fb3c146', name: '', learner: true },
    ]);
  });

  it('is read in pieces too', () => {
    const pieces = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect(parseMemberList(`${head}Transfer-Encoding: chunked\r\n\r\n${pieces}`)?.members).toHaveLength(2);
  });

  it.each([
    '',
    'HTTP/1.1 404 Not Found\r\n\r\n[]',
    `${head}\r\n{}`,
    `${head}\r\n[]`,
    `${head}\r\n[{"id":99999999999999999999}]`,
  ])('is none in %j', (text) => expect(parseMemberList(text)).toBeUndefined());

  it('is none in anything else that a port may say', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseMemberList(`${head}\r\n${text}`)).not.toThrow();
      }),
    );
  });
});
