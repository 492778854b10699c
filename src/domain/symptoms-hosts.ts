/** Symptoms of hosts: reachability, units, disks, clocks, ports, configuration. Issues are those of etcd-io/etcd. */
import { inOrder, REPEATED_MS, type Symptom, withNothingBehind } from './symptom.ts';

export const hostSymptoms = {
  'host-unreachable': {
    level: 'warning',
    cause: 'the host cannot be looked at: nothing is known of its member but what the others tell',
    remedy: 'bring the host or the way to it back; quorum does not need it as long as a majority answers',
  },
  'not-asked': {
    level: 'warning',
    cause: 'etcd was not asked: there is no certificate for it here that can be opened',
    remedy: 'name the age identity with --identity FILE or QUORATE_IDENTITY, and run it again',
  },
  'peer-unreachable': {
    level: 'warning',
    cause: 'a member does not reach a peer: it is down, or a firewall or a route stands between them',
    remedy: 'start the peer (quorate status), and open its peer port (2380, unless set) from every other member',
    lines: [
      inOrder('prober detected unhealthy status ', /dial tcp|i\/o timeout|no route to host|connection refused/),
      inOrder(/health check for peer \w+ could not connect: /, /dial tcp|i\/o timeout/),
    ],
    freshMs: REPEATED_MS,
  },
  'peer-overloaded': {
    level: 'warning',
    cause: 'messages to a peer were dropped: the peer or the network does not keep up',
    remedy:
      'look at the network between them and at the disk of the slow peer; snapshots of large databases do this too',
    lines: [/dropped internal Raft message since sending buffer is full/],
  },
  'unit-missing': {
    level: 'critical',
    cause: 'systemd does not know the unit, or it is masked',
    remedy: 'quorate plan shows what is missing on the host',
  },
  'unit-stopped': {
    level: 'critical',
    cause: 'the unit is stopped',
    remedy: 'systemctl start it on the host (all at once where several are stopped: one alone waits for a majority)',
  },
  'unit-failing': {
    level: 'critical',
    cause: 'etcd ends again and again soon after its start',
    remedy: 'its last lines say why: quorate logs MEMBER --lines 50',
  },
  'unit-waiting': {
    level: 'warning',
    cause:
      'etcd is starting: it is ready only once it has joined a quorum, so alone it waits for as long as it takes (#13526)',
    remedy: 'start the other members too',
    lines: [/start operation timed out/],
  },
  'unit-reload': {
    level: 'warning',
    cause: "the unit's files were changed and systemd was not told",
    remedy: 'systemctl daemon-reload on the host; quorate plan shows whether the files are as they should be',
  },
  'out-of-memory': {
    level: 'critical',
    cause: 'the kernel ended etcd because memory ran out',
    remedy: 'give the host more memory, or find what else takes it; etcd keeps its database and watches in memory',
    lines: [/killed by the OOM killer/, /Failed with result 'oom-kill'/],
  },
  'clock-skew': {
    level: 'warning',
    cause: 'the clocks of hosts differ: certificates and leases are judged by them',
    remedy: 'synchronise all hosts: systemctl enable --now systemd-timesyncd (or chrony)',
    lines: [/prober found high clock drift/, /the clock difference against peer \w+ is too high/],
    freshMs: REPEATED_MS,
  },
  'slow-disk': {
    level: 'warning',
    cause: 'the disk syncs too slowly for etcd, which waits for it at every write (#14181, #7617)',
    remedy:
      'give the data dir an SSD of its own and find what else writes there; 99 % of the syncs of the WAL should take less than 10 ms',
    lines: [/slow fdatasync/, inOrder('sync duration of ', ', expected less than')],
  },
  overloaded: {
    level: 'warning',
    cause:
      'the leader sent its heartbeats late, or requests took long: disk or processor are too slow, or the process was stopped for a while',
    remedy:
      'look for a slow disk, stolen processor time and pauses of the virtual machine; large range requests do this too',
    lines: [
      /failed to send out heartbeat on time/,
      withNothingBehind('apply request took too long', /context canceled|deadline exceeded|no leader/),
      inOrder('took too long ', ' to execute'),
    ],
  },
  'disk-full': {
    level: 'critical',
    cause: 'the file system of the data dir is full',
    remedy: 'make room there (df -h, df -i); never delete files of etcd by hand, a WAL least of all',
    lines: [/no space left on device/],
  },
  'disk-failing': {
    level: 'critical',
    cause: 'the file system is read-only or the disk reports errors',
    remedy: 'look at dmesg on the host; replace the disk before the member',
    lines: [/read-only file system/, /input\/output error/],
  },
  'data-locked': {
    level: 'critical',
    cause: 'another process uses the data dir: a second etcd on the same data, or a copy that is still running',
    remedy: 'find it (fuser -v on member/snap/db in the data dir) and stop the one that should not run',
    lines: [/flocked by another process/, /another etcd process is using/],
    freshMs: REPEATED_MS,
  },
  'port-taken': {
    level: 'critical',
    cause: 'another process holds a port that etcd needs',
    remedy: 'stop it (ss -ltnp names it), or give the controller another port in the inventory',
    lines: [/bind: address already in use/],
  },
  'address-missing': {
    level: 'critical',
    cause: 'etcd is to listen on an address that the host does not have, or on a name',
    remedy: "set the controller's private address in the inventory to one of the host's own",
    lines: [/bind: cannot assign requested address/, /expected IP in URL for binding/],
  },
  'foreign-etcd': {
    level: 'warning',
    cause: "another etcd runs on the host, not this inventory's",
    remedy: "look whose data it holds before you stop it; a distribution's package starts one when it is installed",
  },
  'defaults-ignored': {
    level: 'warning',
    cause:
      'settings in this file have no effect: with a configuration file etcd reads neither flags nor ETCD_ variables',
    remedy: "move what is wanted to the inventory's etcd section (quorate validate, quorate plan), and remove the file",
  },
  'configuration-refused': {
    level: 'critical',
    cause:
      'etcd does not accept its configuration: durations are nanoseconds, and some values must be quoted (#12634, #20342)',
    remedy:
      'quorate plan shows how the file differs from what the inventory gives; quorate validate checks the inventory',
    lines: [
      /failed to verify flags/,
      /error verifying flags/,
      inOrder('cannot unmarshal ', ' into Go '),
      /flag provided but not defined/,
      inOrder('TLS key/cert ', ' must be provided'),
    ],
  },
  'environment-conflict': {
    level: 'critical',
    cause: 'the same setting stands in the environment and on the command line, which etcd refuses (#11111, #8380)',
    remedy: 'take the ETCD_ variable away (the unit, its drop-ins, /etc/default/etcd)',
    lines: [/conflicting environment variable/],
  },
  'file-denied': {
    level: 'critical',
    cause: 'etcd may not read or write a file of its own: owner or mode was changed',
    remedy: 'quorate plan shows wrong owners and modes; the data dir belongs to the user etcd, 0700',
    lines: [/permission denied/],
  },
  'file-limit': {
    level: 'critical',
    cause: 'etcd may not open enough files: each client connection takes one',
    remedy: "the unit's LimitNOFILE should be 65536: quorate plan shows whether the unit is as it should be",
    lines: [/file descriptor limit of etcd process is too low/, /too many open files/],
  },
  'lock-left': {
    level: 'warning',
    cause: 'a run of quorate ended without giving its lock back; nothing of it is alive',
    remedy: 'quorate unlock',
  },
} as const satisfies Readonly<Record<string, Symptom>>;
