/** The table of verbs: all that `--help` needs; each verb's file is loaded when it runs. */
import type { CommandEntry, OptionEntry } from './command.ts';

const inventory: OptionEntry = {
  flags: '-i, --inventory <file>',
  description: 'inventory; - is stdin (default: $QUORATE_INVENTORY, ./quorate.yml)',
};
const hostKeys: OptionEntry = {
  flags: '--accept-new-host-keys',
  description: 'accept unknown SSH host keys and add them to known_hosts; changed ones never',
};
const identity: OptionEntry = {
  flags: '--identity <file>',
  description: 'age identity that opens the private keys of the state directory',
};
const newIdentity: OptionEntry = {
  flags: '--new-identity <file>',
  description: 'make an age identity there and use it',
};
const hazards: OptionEntry = {
  flags: '--accept-hazard <id...>',
  description: 'accept a known hazard of the etcd version by its ID',
};
const remote = [inventory, hostKeys];
const revoking: readonly OptionEntry[] = [
  ...remote,
  identity,
  hazards,
  {
    flags: '--reason <name>',
    description: 'key-compromise, superseded, cessation, affiliation-changed or privilege-withdrawn',
  },
  { flags: '--why <text>', description: 'for the record' },
  { flags: '--restart', description: 'restart every member in turn, so that open connections end too' },
  { flags: '--yes', description: 'do not ask' },
];
/** What `certs rotate` is to rotate; `plan certs rotate` shows it. */
const rotation: readonly OptionEntry[] = [
  { flags: '--member <name...>', description: 'these members only (default: all)' },
  { flags: '--kind <kinds...>', description: 'server, peer, client (default: all)' },
  { flags: '--due', description: 'only what is due (pki.renewBefore) or not as the inventory wants it' },
  { flags: '--keep-keys', description: 'new certificates for the private keys in use' },
];

/** How far and which way `certs rotate-ca` is to go; `plan certs rotate-ca` shows it. */
const succession: readonly OptionEntry[] = [
  { flags: '--authority <name>', description: 'client, peer or all (default: all)' },
  {
    flags: '--until <stage>',
    description: 'the last stage: trust-both, leaves (default: all clients live on), trust-new, drop-cross',
  },
  { flags: '--cross-sign', description: 'leave trust-both out: one rolling restart instead of two' },
  { flags: '--renew', description: 'new dates for the same key and subject; certificates stay as they are' },
  { flags: '--abort', description: 'back to the old authorities, as long as they are trusted' },
  { flags: '--allow-downtime', description: 'restart members of a cluster of one or two' },
];

/** What the groups of verbs are about, by their words. */
export const groups: Readonly<Record<string, string>> = {
  certs: 'certificates: know what is on disk and what is served, issue for clients, export',
  'certs ca': 'the certificate authorities',
  'certs client': 'certificates for clients of etcd',
  lab: 'throw-away hosts on this machine',
};

/** All verbs, in the order of `--help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'write a commented inventory for these hosts',
    argument: '[targets...]',
    options: [
      { flags: '--out <file>', description: 'where to write it (default: quorate.yml); never overwrites' },
      { flags: '--name <name>', description: 'name of the cluster (default: etcd)' },
      { flags: '--etcd <version>', description: 'version of etcd' },
      hostKeys,
    ],
    example: 'quorate init root@10.0.0.11 root@10.0.0.12 root@10.0.0.13',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'validate',
    summary: 'check inventories, offline',
    argument: '[files...]',
    options: [{ ...inventory, flags: '-i, --inventory <files...>' }],
    example: 'quorate validate -i quorate.yml',
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'plan',
    summary: 'show what would change on each host and why; changes nothing',
    argument: '[verb...]',
    options: [
      ...remote,
      identity,
      hazards,
      ...rotation.map((each) => ({ ...each, description: `certs rotate: ${each.description}` })),
      ...succession.map((each) => ({ ...each, description: `certs rotate-ca: ${each.description}` })),
      { flags: '--out <file>', description: 'save the plan, for the --plan of its verb' },
      { flags: '--exit-code', description: 'exit with 2 when changes are pending' },
    ],
    example: 'quorate plan -i quorate.yml --exit-code',
    load: async () => (await import('./plan.ts')).plan,
  },
  {
    name: 'bootstrap',
    summary: 'form the cluster: show the plan, ask, apply, prove',
    argument: '',
    options: [
      ...remote,
      identity,
      newIdentity,
      hazards,
      { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate bootstrap -i quorate.yml --new-identity ~/.config/quorate/identity.txt',
    load: async () => (await import('./bootstrap.ts')).bootstrap,
  },
  {
    name: 'status',
    summary: 'members, versions, leader, sizes, alarms, served certificates; exit 0 healthy, 2 degraded, 3 no quorum',
    argument: '',
    options: [...remote, identity, { flags: '--watch', description: 'look again every two seconds' }],
    example: 'quorate status -i quorate.yml',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'logs',
    summary: "the members' journals side by side, by time",
    argument: '[member]',
    options: [
      ...remote,
      { flags: '-f, --follow', description: 'wait for new lines until interrupted' },
      { flags: '--lines <number>', description: 'the last lines of each host (default: 100, without --since)' },
      { flags: '--since <time>', description: 'from this long ago (30m, 2h, 1d) or this time (RFC 3339) on' },
      { flags: '--level <level>', description: 'at least: debug (default), info, warn, error, fatal' },
    ],
    example: 'quorate logs -i quorate.yml --since 1h --level warn',
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'doctor',
    summary: 'known symptoms in journals and states, told as cause and remedy; exit 0 none, 2 warnings, 3 critical',
    argument: '',
    options: [
      ...remote,
      identity,
      { flags: '--since <time>', description: 'how far back journals are read (default: 1h)' },
      { flags: '--bundle <file>', description: 'write a support archive (tar.gz, 0600), without secrets' },
    ],
    example: 'quorate doctor -i quorate.yml --bundle support.tar.gz',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'verify',
    summary: 'a battery of checks against the live cluster; exit 0 ok, 2 warnings, 3 critical',
    argument: '',
    options: [
      ...remote,
      identity,
      { flags: '--read-only', description: 'leave out the proof that writes a key and removes it again' },
      { flags: '--junit <file>', description: 'write the checks as JUnit XML' },
    ],
    example: 'quorate verify -i quorate.yml --junit verify.xml',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'render',
    summary: 'write what would land on each host, offline',
    argument: '',
    options: [inventory, hazards, { flags: '--out <dir>', description: 'folder to write to, one folder a host' }],
    example: 'quorate render -i quorate.yml --out rendered',
    load: async () => (await import('./render.ts')).render,
  },
  {
    name: 'env',
    summary: 'print exports with which etcdctl works on this machine',
    argument: '',
    options: [
      inventory,
      identity,
      { flags: '--shell <name>', description: 'sh, bash, zsh (default) or fish' },
      { flags: '--out <dir>', description: 'folder for the plaintext key (default: $XDG_RUNTIME_DIR/quorate)' },
    ],
    example: 'eval "$(quorate env -i quorate.yml)" && etcdctl member list',
    load: async () => (await import('./env.ts')).env,
  },
  {
    name: 'reset',
    summary: 'stop and remove what quorate put on the hosts; data is moved aside',
    argument: '',
    options: [
      ...remote,
      { flags: '--yes-destroy <name>', description: 'do not ask: the name of the cluster to end' },
      { flags: '--delete-data', description: 'delete the data instead of moving it aside' },
      { flags: '--lost-store <uuid>', description: 'state directory lost: UUID of the cluster to end' },
    ],
    example: 'quorate reset -i quorate.yml --yes-destroy production',
    load: async () => (await import('./reset.ts')).reset,
  },
  {
    name: 'unlock',
    summary: 'show who holds the lock; release it once its owner and scripts are proved gone',
    argument: '',
    options: remote,
    example: 'quorate unlock -i quorate.yml',
    load: async () => (await import('./unlock.ts')).unlock,
  },
  {
    name: 'certs check',
    summary: 'every certificate on disk, as served now and with the operator; exit 0 ok, 2 warnings, 3 critical',
    argument: '',
    options: [
      ...remote,
      {
        flags: '--warn <time>',
        description: 'warn this long before the end (default: 30d, at most a third of a life)',
      },
      { flags: '--crit <time>', description: 'critical this long before the end (default: 7d, at most a tenth)' },
      { flags: '--prometheus', description: "Prometheus' text format on stdout" },
    ],
    example: 'quorate certs check -i quorate.yml --warn 30d --crit 7d',
    load: async () => (await import('./certs-check.ts')).certsCheck,
  },
  {
    name: 'certs rotate',
    summary: 'new keys and certificates for members, one member at a time, without a restart',
    argument: '',
    options: [
      ...remote,
      identity,
      hazards,
      ...rotation,
      { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate certs rotate -i quorate.yml --due --yes',
    load: async () => (await import('./certs-rotate.ts')).certsRotate,
  },
  {
    name: 'certs rotate-ca',
    summary: 'replace the certificate authorities without downtime, in stages that can be halted, resumed, taken back',
    argument: '',
    options: [
      ...remote,
      identity,
      hazards,
      ...succession,
      { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate certs rotate-ca -i quorate.yml',
    load: async () => (await import('./certs-rotate-ca.ts')).certsRotateCa,
  },
  {
    name: 'certs rescue',
    summary: 'the cluster is down because certificates or authorities have expired: new ones for all members at once',
    argument: '',
    options: [
      ...remote,
      identity,
      hazards,
      { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate certs rescue -i quorate.yml',
    load: async () => (await import('./certs-rescue.ts')).certsRescue,
  },
  {
    name: 'certs ca show',
    summary: 'the authorities: subjects, dates, fingerprints, where the keys are, who can open them',
    argument: '',
    options: [inventory],
    example: 'quorate certs ca show -i quorate.yml',
    load: async () => (await import('./certs-ca.ts')).certsCaShow,
  },
  {
    name: 'certs ca import',
    summary: 'take in an authority that was made elsewhere: it signs from the start, or succeeds the one that does',
    argument: '',
    options: [
      inventory,
      identity,
      newIdentity,
      { flags: '--cert <file>', description: 'its certificate; what stands behind it is its chain' },
      { flags: '--chain <file>', description: 'the root above an intermediate' },
      {
        flags: '--key <file>',
        description: 'its private key, encrypted at once; without it everything is signed elsewhere',
      },
      { flags: '--purpose <name>', description: 'client (and servers), peer, or both' },
      { flags: '--layout <name>', description: 'kubeadm or etcdadm: take ca.crt and ca.key from where they keep them' },
      { flags: '--dir <dir>', description: 'another folder of that layout' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate certs ca import --cert ca.crt --key ca.key --purpose client',
    load: async () => (await import('./certs-ca-import.ts')).certsCaImport,
  },
  {
    name: 'certs ca rekey-custody',
    summary: 'encrypt every private key of the state directory to other recipients, or to a passphrase',
    argument: '',
    options: [
      inventory,
      identity,
      { flags: '--recipient <recipient...>', description: "age recipients (default: the inventory's and your own)" },
      {
        flags: '--to-identity <file>',
        description: 'the identity that opens everything from then on; made where there is none',
      },
      { flags: '--passphrase', description: 'a passphrase opens everything: asked for, or QUORATE_NEW_PASSPHRASE' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate certs ca rekey-custody --to-identity new.txt --yes',
    load: async () => (await import('./certs-ca-rekey-custody.ts')).certsCaRekeyCustody,
  },
  {
    name: 'certs client issue',
    summary: 'issue a certificate to a client of etcd: its key made here, or a signing request signed',
    argument: '<name>',
    options: [
      inventory,
      identity,
      { flags: '--cn <name>', description: "common name: etcd's user once RBAC is on (default: the name)" },
      { flags: '--org <name>', description: "organisation (default: the inventory's)" },
      {
        flags: '--ttl <time>',
        description: "how long it is valid (default: 90d; at most the policy's leafLifetimeDays)",
      },
      { flags: '--csr <file>', description: 'sign this request; only its public key is taken' },
      { flags: '--out <dir>', description: 'where key and certificate go (default: $XDG_RUNTIME_DIR/quorate/CLUSTER)' },
      { flags: '--allow-root', description: "allow CN=root, etcd's superuser" },
      { flags: '--force', description: 'replace files that are there' },
    ],
    example: 'quorate certs client issue backup --ttl 30d --out /root/backup-certs',
    load: async () => (await import('./certs-client.ts')).certsClientIssue,
  },
  {
    name: 'certs client list',
    summary: 'every certificate issued to a client: current, replaced, expired',
    argument: '',
    options: [inventory],
    example: 'quorate certs client list -i quorate.yml',
    load: async () => (await import('./certs-client.ts')).certsClientList,
  },
  {
    name: 'certs client revoke',
    summary:
      'take back every certificate of a client, or one by its serial, and prove on every member that it is refused',
    argument: '[name]',
    options: revoking,
    example: 'quorate certs client revoke backup --reason key-compromise --why stolen',
    load: async () => (await import('./certs-revoke.ts')).certsClientRevoke,
  },
  {
    name: 'certs revoke',
    summary:
      'the same for any certificate by its serial; without one, bring what was revoked before into force everywhere',
    argument: '[serial]',
    options: revoking,
    example: 'quorate certs revoke 5b1c0de2f00d5b1c0de2f00d5b1c0de2f00d5b1c --reason superseded',
    load: async () => (await import('./certs-revoke.ts')).certsRevoke,
  },
  {
    name: 'certs export',
    summary: "the authorities and a client's certificate for other tools; without a client, the authorities alone",
    argument: '[client]',
    options: [
      inventory,
      identity,
      { flags: '--format <name>', description: 'pem (default), pkcs12, secret (Kubernetes) or kubeadm (its layout)' },
      { flags: '--out <dir>', description: 'folder to write to; private keys are 0600' },
      { flags: '--key <file>', description: "the client's private key, which is kept nowhere here" },
      { flags: '--passphrase-env <name>', description: 'variable that holds the passphrase of the pkcs12 file' },
      { flags: '--namespace <name>', description: 'namespace of the Secret' },
      { flags: '--allow-root', description: "allow the operator's own (admin), CN=root" },
      { flags: '--force', description: 'replace files that are there' },
    ],
    example: 'quorate certs export kube-apiserver-etcd-client --format kubeadm --key apiserver.key --out export',
    load: async () => (await import('./certs-export.ts')).certsExport,
  },
  {
    name: 'lab up',
    summary: 'make throw-away hosts on this machine (root, Debian): real systemd, real sshd',
    argument: '[name]',
    options: [
      { flags: '--hosts <number>', description: 'how many (default: 3)' },
      { flags: '--etcd <version>', description: 'version in the inventory that is written (default: 3.6.16)' },
    ],
    example: 'quorate lab up demo --hosts 3',
    load: async () => (await import('./lab.ts')).labUp,
  },
  {
    name: 'lab down',
    summary: 'remove every trace of a lab',
    argument: '[name]',
    options: [],
    example: 'quorate lab down demo',
    load: async () => (await import('./lab.ts')).labDown,
  },
  {
    name: 'lab list',
    summary: 'labs, their hosts and addresses',
    argument: '',
    options: [],
    example: 'quorate lab list',
    load: async () => (await import('./lab.ts')).labList,
  },
  {
    name: 'lab ssh',
    summary: 'a shell on a host of a lab',
    argument: '<name> <host> [command...]',
    options: [],
    example: 'quorate lab ssh demo demo-1',
    load: async () => (await import('./lab.ts')).labSsh,
  },
  {
    name: 'lab demo',
    summary: 'a lab of three hosts with a TLS cluster on it, from nothing (npm run demo)',
    argument: '',
    options: [],
    example: 'quorate lab demo',
    load: async () => (await import('./demo.ts')).demo,
  },
];

/** Exit statuses, for `--help`. */
export const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'done, or nothing to do'],
  [1, 'a bug: please report it'],
  [2, 'changes pending, or degraded'],
  [3, 'critical: no quorum, or a certificate about to end'],
  [10, 'wrong usage'],
  [11, 'the inventory is wrong'],
  [12, 'a host cannot be reached or is not trusted'],
  [13, 'refused by a guard'],
  [14, 'a step failed; running again is safe'],
  [15, 'the saved plan is stale'],
  [16, 'locked by another run'],
  [130, 'interrupted'],
];
