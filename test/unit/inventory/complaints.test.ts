/** What is said about mistakes: the exact words, because operators read them and scripts show them. */
import { describe, expect, it } from 'vitest';
import { complaintsAbout, inventoryText, parse } from './samples.ts';

interface Case {
  readonly mistake: string;
  readonly section: string;
  readonly value: string;
  readonly said: readonly string[];
}

const ssh: readonly Case[] = [
  {
    mistake: 'a misspelt key',
    section: 'ssh',
    value: '{prt: 22}',
    said: ['x.yml:4:7: ssh.prt: is no key of ssh (did you mean port?)'],
  },
  {
    mistake: 'a key under the name of another tool',
    section: 'ssh',
    value: '{jumpHost: {address: b}}',
    said: ['x.yml:4:7: ssh.jumpHost: is no key of ssh (did you mean bastion?)'],
  },
  {
    mistake: 'a password in the inventory',
    section: 'ssh',
    value: '{password: hunter2}',
    said: [
      'x.yml:4:7: ssh.password: is no key of ssh (no secret stands in an inventory: name an environment variable, as passwordEnv)',
    ],
  },
  {
    mistake: 'a password where the name of its variable belongs, without repeating it',
    section: 'ssh',
    value: '{passwordEnv: hunter2!}',
    said: [
      'x.yml:4:20: ssh.passwordEnv: this is no name of an environment variable (write a name: SSH_PASSWORD; no secret stands in an inventory)',
    ],
  },
  {
    mistake: 'a host key for all hosts',
    section: 'ssh',
    value: '{hostKey: x}',
    said: ['x.yml:4:7: ssh.hostKey: is no key of ssh (each host has its own key: write it below controllers.NAME.ssh)'],
  },
  {
    mistake: 'YAML 1.1 booleans',
    section: 'ssh',
    value: '{agent: yes}',
    said: ['x.yml:4:14: ssh.agent: "yes" is neither true nor false (YAML 1.2 takes it for text; write true)'],
  },
  {
    mistake: 'a number with underscores',
    section: 'ssh',
    value: '{port: 2_222}',
    said: ['x.yml:4:13: ssh.port: "2_222" is no whole number (write 2222)'],
  },
  {
    mistake: 'an octal number',
    section: 'ssh',
    value: '{port: 0123}',
    said: ['x.yml:4:13: ssh.port: 0123 is 123 to YAML 1.2, and 83 to YAML 1.1 (write 123, or "0123" for text)'],
  },
  {
    mistake: 'a time of the day where a number belongs',
    section: 'ssh',
    value: '{port: 12:30}',
    said: ['x.yml:4:13: ssh.port: "12:30" is no whole number (write a number of 1 to 65535)'],
  },
  {
    mistake: 'a port out of range',
    section: 'ssh',
    value: '{port: 65536}',
    said: ['x.yml:4:13: ssh.port: 65536 is not between 1 and 65535 (write a number of 1 to 65535)'],
  },
  {
    mistake: 'an unknown word',
    section: 'ssh',
    value: '{sudo: passwordles}',
    said: [
      'x.yml:4:13: ssh.sudo: "passwordles" is not one of none, passwordless, password (did you mean passwordless?)',
    ],
  },
  {
    mistake: 'a list where a word belongs',
    section: 'ssh',
    value: '{sudo: [x]}',
    said: ['x.yml:4:7: ssh.sudo: is a list (write text or a mapping)'],
  },
  {
    mistake: 'a third bastion',
    section: 'ssh',
    value: '{bastion: {address: a, bastion: {address: b, bastion: {address: c}}}}',
    said: [
      'x.yml:4:51: ssh.bastion.bastion.bastion: is no key of ssh.bastion.bastion (known: address, port, user, identityFiles, agent, passphraseEnv, knownHosts, connectTimeoutSeconds, passwordEnv, hostKey)',
    ],
  },
  {
    mistake: 'a user that cannot become root',
    section: 'ssh',
    value: '{user: ops, sudo: none}',
    said: [
      'x.yml:4:24: ssh.sudo: does not reach root: the user is ops, and sudo is none (write sudo: passwordless or password)',
    ],
  },
  {
    mistake: 'a user with a shell in it',
    section: 'ssh',
    value: '{user: "$(reboot)"}',
    said: [`x.yml:4:13: ssh.user: has a $ that begins nothing (write \${NAME}, or $$ for a dollar sign)`],
  },
  {
    mistake: 'an empty value',
    section: 'ssh',
    value: '',
    said: ['x.yml:4:1: ssh: has no value (write one, or delete the line)'],
  },
  {
    mistake: 'a text for a section',
    section: 'ssh',
    value: 'root',
    said: ['x.yml:4:6: ssh: is a single value (write a mapping)'],
  },
];

const cluster: readonly Case[] = [
  {
    mistake: 'a name in capitals',
    section: 'cluster',
    value: '{name: Prod, version: 3.6.16}',
    said: [
      'x.yml:2:17: cluster.name: "Prod" is no name (write lower-case letters, digits and inner hyphens: controller-1)',
    ],
  },
  {
    mistake: 'a name that YAML takes for a boolean',
    section: 'cluster',
    value: '{name: true, version: 3.6.16}',
    said: ['x.yml:2:17: cluster.name: true is true or false to YAML, not text (put it in quotes)'],
  },
  {
    mistake: 'no mistake: `no` is text to YAML 1.2',
    section: 'cluster',
    value: '{name: no, version: 3.6.16}',
    said: [],
  },
  {
    mistake: 'a minor instead of a release',
    section: 'cluster',
    value: '{name: x, version: 3.6}',
    said: ['x.yml:2:29: cluster.version: 3.6 is a number to YAML, not text (write it in full: 3.6.16)'],
  },
  {
    mistake: 'a version with v',
    section: 'cluster',
    value: '{name: x, version: v3.6.16}',
    said: ['x.yml:2:29: cluster.version: "v3.6.16" begins with v (write 3.6.16)'],
  },
  {
    mistake: 'a version from the future',
    section: 'cluster',
    value: '{name: x, version: 3.8.0}',
    said: [
      'x.yml:2:29: cluster.version: "3.8.0" is of a minor that quorate does not know (write a release of 3.4 to 3.7: 3.6.16)',
    ],
  },
  {
    mistake: 'a missing version',
    section: 'cluster',
    value: '{name: x}',
    said: ['x.yml:2:1: cluster.version: is missing (write version: 3.6.16)'],
  },
  {
    mistake: 'another format',
    section: 'apiVersion',
    value: 'quorate/v2',
    said: ['x.yml:1:13: apiVersion: "quorate/v2" is not right (write quorate/v1)'],
  },
];

const controllers: readonly Case[] = [
  {
    mistake: 'a name with a path in it',
    section: 'controllers',
    value: '{"../x": {address: 10.0.0.1}}',
    said: [
      'x.yml:3:15: controllers["../x"]: "../x" is no name (write lower-case letters, digits and inner hyphens: controller-1)',
    ],
  },
  {
    mistake: 'the name of the machine itself',
    section: 'controllers',
    value: '{operator: {address: 10.0.0.1}}',
    said: [
      'x.yml:3:15: controllers.operator: "operator" means the machine that quorate runs on (write another name: operator-1)',
    ],
  },
  {
    mistake: 'no controllers',
    section: 'controllers',
    value: '{}',
    said: ['x.yml:3:1: controllers: has no controller (write one below: controller-1: {address: 10.0.0.1})'],
  },
  {
    mistake: 'no address',
    section: 'controllers',
    value: '{a: {sans: [b]}}',
    said: ['x.yml:3:15: controllers.a.address: is missing (write address: 10.0.0.1)'],
  },
  {
    mistake: 'a list of controllers',
    section: 'controllers',
    value: '[{address: 10.0.0.1}]',
    said: ['x.yml:3:1: controllers: is a list (write a mapping)'],
  },
  {
    mistake: 'an address with a port',
    section: 'controllers',
    value: '{a: {address: "10.0.0.1:22"}}',
    said: [
      'x.yml:3:28: controllers.a.address: "10.0.0.1:22" has a port (write the address alone, and the port as ssh.port or ports)',
    ],
  },
  {
    mistake: 'an impossible IPv4 address',
    section: 'controllers',
    value: '{a: {address: 10.0.0.256}}',
    said: [
      'x.yml:3:28: controllers.a.address: "10.0.0.256" is no IP address (write four numbers of 0 to 255: 10.0.0.1)',
    ],
  },
  {
    mistake: 'a newline in an address',
    section: 'controllers',
    value: '{a: {address: "10.0.0.1\\nx"}}',
    said: [
      'x.yml:3:28: controllers.a.address: "10.0.0.1\\nx" is no IP address or DNS name (write 10.0.0.1, fd00::1 or host.example.org)',
    ],
  },
  {
    mistake: 'letters that turn the line around',
    section: 'controllers',
    value: '{a: {address: "10\u202e1"}}',
    said: [
      'x.yml:3:28: controllers.a.address: "10\\u202e1" is no IP address or DNS name (write 10.0.0.1, fd00::1 or host.example.org)',
    ],
  },
  {
    mistake: 'a DNS name that etcd cannot bind',
    section: 'controllers',
    value: '{a: {address: a.example.org}}',
    said: [
      'x.yml:3:28: controllers.a.address: "a.example.org" is a DNS name, and etcd binds IP addresses only (write privateAddress: 10.0.0.1 too)',
    ],
  },
  {
    mistake: 'loopback among several',
    section: 'controllers',
    value: '{a: {address: 127.0.0.1}, b: {address: 10.0.0.2}}',
    said: [
      'x.yml:3:28: controllers.a.address: "127.0.0.1" is loopback, where the other members find themselves (write an address that others can dial, as privateAddress)',
    ],
  },
  {
    mistake: 'an empty list to listen on',
    section: 'controllers',
    value: '{a: {address: 10.0.0.1, listenAddresses: []}}',
    said: [
      'x.yml:3:38: controllers.a.listenAddresses: leaves etcd on loopback alone, where nobody else reaches it (write privateAddress: 10.0.0.1)',
    ],
  },
  {
    mistake: 'an address for SSH only',
    section: 'controllers',
    value: '{a: {address: 127.0.0.1, advertiseAddress: 10.0.0.1}}',
    said: [
      'x.yml:3:28: controllers.a.address: "127.0.0.1" leaves etcd on loopback alone, where nobody else reaches it (write privateAddress: 10.0.0.1)',
    ],
  },
  {
    mistake: 'loopback over IPv6 for a single member',
    section: 'controllers',
    value: '{a: {address: "::1"}}',
    said: [
      'x.yml:3:28: controllers.a.address: "::1" is loopback, where etcd listens on 127.0.0.1 only (write an address that others can dial, as privateAddress)',
    ],
  },
  {
    mistake: 'everything advertised',
    section: 'controllers',
    value: '{a: {address: 10.0.0.1, advertiseAddress: 0.0.0.0}}',
    said: [
      'x.yml:3:56: controllers.a.advertiseAddress: "0.0.0.0" is no address that can be dialled (write the address of the host)',
    ],
  },
  {
    mistake: 'all addresses and one of them',
    section: 'controllers',
    value: '{a: {address: 10.0.0.1, listenAddresses: [0.0.0.0, 10.0.0.1]}}',
    said: [
      'x.yml:3:38: controllers.a.listenAddresses: binds all addresses and some of them again, which fails (write the one that means all, or the others)',
    ],
  },
  {
    mistake: 'one host twice',
    section: 'controllers',
    value: '{a: {address: FD00::1}, b: {address: "fd00:0::1"}}',
    said: [
      'x.yml:3:51: controllers.b.address: is that of a too: fd00::1 port 22 (give each controller a host of its own)',
    ],
  },
  {
    mistake: 'one advertised address twice',
    section: 'controllers',
    value: '{a: {address: 10.0.0.1, advertiseAddress: e}, b: {address: 10.0.0.2, advertiseAddress: E}}',
    said: [
      'x.yml:3:101: controllers.b.advertiseAddress: is that of a too: e client port 2379 (give each controller a host of its own)',
    ],
  },
  {
    mistake: 'ssh keys beside the address',
    section: 'controllers',
    value: '{a: {address: 10.0.0.1, user: x}}',
    said: ['x.yml:3:38: controllers.a.user: is no key of controllers.a (write it below ssh: of the controller)'],
  },
  {
    mistake: 'a host key that is none',
    section: 'controllers',
    value: '{a: {address: 10.0.0.1, ssh: {hostKey: "aa:bb"}}}',
    said: [
      'x.yml:3:53: controllers.a.ssh.hostKey: "aa:bb" is no host key (write SHA256:… or ssh-ed25519 AAAA… without a comment, as ssh-keyscan HOST | ssh-keygen -lf - prints it)',
    ],
  },
];

const etcd: readonly Case[] = [
  {
    mistake: 'a flat TLS key as tutorials have it',
    section: 'etcd',
    value: '{cert-file: /x}',
    said: [
      'x.yml:4:8: etcd.cert-file: is not set here (etcd ignores this flat key without a word; quorate writes client-transport-security and peer-transport-security in their nested form, with mutual TLS: set pki)',
    ],
  },
  {
    mistake: 'auto-tls',
    section: 'etcd',
    value: '{auto-tls: true}',
    said: [
      'x.yml:4:8: etcd.auto-tls: is not set here (certificates that nobody signs authenticate nobody, and change at each start; quorate issues real ones)',
    ],
  },
  {
    mistake: 'an unknown key',
    section: 'etcd',
    value: '{snapshot-cuont: 1}',
    said: [
      'x.yml:4:8: etcd.snapshot-cuont: is no key of etcd’s configuration file, and etcd would ignore it without a word (did you mean snapshot-count?)',
    ],
  },
  {
    mistake: 'access misspelt',
    section: 'etcd',
    value: '{acess: direct}',
    said: ['x.yml:4:8: etcd.acess: is no key of etcd (did you mean access?)'],
  },
  {
    mistake: 'a heartbeat near the election timeout',
    section: 'etcd',
    value: '{heartbeat-interval: 300}',
    said: [
      'x.yml:4:8: etcd.heartbeat-interval: an election-timeout of 1000 ms is less than five times the heartbeat-interval of 300 ms (write election-timeout: 3000)',
    ],
  },
];

const rest: readonly Case[] = [
  {
    mistake: 'an unknown section',
    section: 'nodes',
    value: '{}',
    said: ['x.yml:4:1: nodes: is no key of an inventory (did you mean controllers?)'],
  },
  {
    mistake: 'a folder of the system',
    section: 'paths',
    value: '{dataDir: /var/lib}',
    said: [
      'x.yml:4:18: paths.dataDir: "/var/lib" is a folder of the system (write a folder of its own: /var/lib/etcd)',
    ],
  },
  {
    mistake: 'a path out of its place',
    section: 'paths',
    value: '{dataDir: /var/lib/../../etc}',
    said: [
      'x.yml:4:18: paths.dataDir: "/var/lib/../../etc" is not normalised (write it without //, /./, /../ and a trailing /: /var/lib/etcd)',
    ],
  },
  {
    mistake: 'a path with a shell in it',
    section: 'paths',
    value: '{dataDir: "/var/lib/`id`"}',
    said: [
      'x.yml:4:18: paths.dataDir: "/var/lib/`id`" has characters that shells or systemd would read (write letters, digits and _ + @ . - between /)',
    ],
  },
  {
    mistake: 'folders in each other',
    section: 'paths',
    value: '{dataDir: /etc/etcd/data}',
    said: [
      'x.yml:4:18: paths.dataDir: /etc/etcd/data and /etc/etcd (dataDir and configDir) lie in each other (write folders apart)',
    ],
  },
  {
    mistake: 'data that a reboot deletes',
    section: 'paths',
    value: '{dataDir: /run/etcd}',
    said: [
      'x.yml:4:18: paths.dataDir: "/run/etcd" lies where a reboot empties or nothing may be kept (write a folder below /var/lib or a disk of its own)',
    ],
  },
  {
    mistake: 'a unit of the system',
    section: 'service',
    value: '{unit: sshd.service}',
    said: ['x.yml:4:17: service.unit: "sshd.service" belongs to the system (write a name of its own: etcd.service)'],
  },
  {
    mistake: 'etcd as root',
    section: 'service',
    value: '{user: root}',
    said: ['x.yml:4:17: service.user: "root" may read and write everything, which etcd must not (write etcd)'],
  },
  {
    mistake: 'ports that are the same',
    section: 'ports',
    value: '{metrics: 2379}',
    said: ['x.yml:4:1: ports: client 2379, peer 2380 and metrics 2379 must differ (write three ports)'],
  },
  {
    mistake: 'a former client port that is another port of now',
    section: 'ports',
    value: '{formerClient: 2380}',
    said: [
      'x.yml:4:1: ports: client 2379, peer 2380, formerClient 2380 and metrics 2381 must differ (write four ports)',
    ],
  },
  {
    mistake: 'leaves that outlive the CA',
    section: 'pki',
    value: '{caLifetimeDays: 300}',
    said: [
      "x.yml:4:23: pki.caLifetimeDays: 365 days would outlive the CA's 300 (write fewer days than caLifetimeDays)",
    ],
  },
  {
    mistake: 'a renewal that is no length of time',
    section: 'pki',
    value: '{renewBefore: soon}',
    said: [
      'x.yml:4:20: pki.renewBefore: "soon" is no length of time (write a number and m, h, d or w, or a share of the life: 30d, 33%)',
    ],
  },
  {
    mistake: 'leaves that are always due',
    section: 'pki',
    value: '{leafLifetimeDays: 30, renewBefore: 5w}',
    said: [
      'x.yml:4:42: pki.renewBefore: 5w is not less than the 30 days that leaves live: they would always be due (write less)',
    ],
  },
  {
    mistake: 'a secret key as recipient, without repeating it',
    section: 'pki',
    value: '{recipients: [AGE-SECRET-KEY-1QQQ]}',
    said: [
      'x.yml:4:20: pki.recipients[0]: this is a secret identity, not a recipient (write the age1… line of age-keygen -y FILE)',
    ],
  },
  {
    mistake: 'no source',
    section: 'binaries',
    value: '{url: https://x}',
    said: ['x.yml:4:1: binaries.source: is missing (write source: release)'],
  },
  {
    mistake: 'a key of another source',
    section: 'binaries',
    value: '{source: release, url: https://x}',
    said: ['x.yml:4:29: binaries.url: is no key of binaries (known: source, via, sha256)'],
  },
  {
    mistake: 'credentials in a URL',
    section: 'binaries',
    value: '{source: mirror, url: "https://u:p@x/"}',
    said: [
      'x.yml:4:33: binaries.url: this is no address of a mirror (write http(s)://HOST/PATH without user, password, ? and #: https://mirror.example.org/etcd)',
    ],
  },
  {
    mistake: 'an unknown hazard',
    section: 'acceptHazards',
    value: '[corruption-13765]',
    said: ['x.yml:4:17: acceptHazards[0]: "corruption-13765" is no known hazard (did you mean corruption-13766?)'],
  },
];

describe('parseInventory', () => {
  for (const { mistake, section, value, said } of [...cluster, ...ssh, ...controllers, ...etcd, ...rest]) {
    it(`answers ${section}: ${mistake}`, () => {
      expect(complaintsAbout(inventoryText({ [section]: value }))).toEqual(said);
    });
  }

  it('tells all complaints at once, in the order of the text, also those of several keys', () => {
    const said = complaintsAbout(
      inventoryText({
        cluster: '{name: X, version: 3.6.16}',
        controllers: '{a: {address: 10.0.0.1}, b: {address: 10.0.0.1}, c: {address: "c c"}}',
        etcd: '{name: x, access: no}',
        hosts: '[]',
      }),
    );
    expect(said.map((each) => each.split(' ', 2).join(' '))).toEqual([
      'x.yml:2:17: cluster.name:',
      'x.yml:3:52: controllers.b.address:',
      'x.yml:3:76: controllers.c.address:',
      'x.yml:4:8: etcd.name:',
      'x.yml:4:25: etcd.access:',
      'x.yml:5:1: hosts:',
    ]);
  });

  it('is one error with an error for each complaint, or that error itself when there is one', () => {
    expect(() => parse('[]')).toThrow(
      expect.objectContaining({ code: 'inventory', message: 'x.yml:1:1: is a list (write a mapping)', errors: [] }),
    );
    expect(() => parse('a: 1\n')).toThrow(
      expect.objectContaining({ code: 'inventory', message: 'x.yml: 4 complaints' }),
    );
  });
});
