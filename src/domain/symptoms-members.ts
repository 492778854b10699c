/** Symptoms of members and of the cluster: quorum, membership, data, versions. Issues are those of etcd-io/etcd. */
import { inOrder, REPEATED_MS, STATE_TELLS, type Symptom } from './symptom.ts';

export const memberSymptoms = {
  'no-quorum': {
    level: 'critical',
    cause: 'fewer members than a majority of the voters answer: nothing is written, and no linearizable read returns',
    remedy:
      'start the members that are down, all at once; do not restart the ones that run (their snapshot is the safest copy: etcdctl snapshot save on such a host), and wipe none',
    lines: [/stepped down to follower since quorum is not active/],
    freshMs: STATE_TELLS,
  },
  'member-silent': {
    level: 'warning',
    cause:
      'the unit runs and etcd does not answer: it waits for other members, loads its data, or refuses our certificate',
    remedy: 'look at its last lines (quorate logs MEMBER); where certificates are in question, quorate certs check',
  },
  'leader-disagreement': {
    level: 'critical',
    cause: 'members follow different leaders: they do not see the same peers, or belong to different clusters',
    remedy: 'open the peer port between all members (quorate status shows who knows whom), and compare cluster IDs',
  },
  'no-leader': {
    level: 'critical',
    cause: 'at least one member knows no leader: it is cut off from the others, or an election is going on',
    remedy: 'open the peer port between all members; while elections repeat, look for slow disks and networks',
  },
  'peer-lost': {
    level: 'warning',
    cause:
      'a member takes another for unreachable, and both serve: the peer port is cut between these two, or one goes on taking the other for dead over connections that work (#14523)',
    remedy:
      'open the peer port between the two, both ways; where it is open, restart the member that says so: quorate restart --member NAME',
  },
  'leader-churn': {
    level: 'warning',
    cause:
      'the leader changed several times within an hour: heartbeats come late, by slow disks, busy processors or a bad network',
    remedy:
      'give the data dir a faster disk of its own, or raise heartbeat-interval and election-timeout in the inventory',
  },
  'cluster-mismatch': {
    level: 'critical',
    cause:
      'a member belongs to another cluster (another token, or the data dir of another one): it stays up and is never let in (#11562, #3710)',
    remedy:
      'find out whose data it is before you touch it; when it is not needed, stop the unit, move the data dir aside, and replace the member: quorate member replace NAME',
    lines: [/cluster ID mismatch/i],
    freshMs: REPEATED_MS,
  },
  'member-wiped': {
    level: 'critical',
    cause:
      'a member that had data starts without it: the others keep what it had promised, so it cannot go on as itself (#10254, #13509)',
    remedy: 'while a majority is healthy: quorate member replace NAME; never start it with initial-cluster-state new',
    lines: [
      /tocommit\(\d+\) is out of range/,
      /has already been bootstrapped/,
      /cannot fetch cluster info from peer urls/,
    ],
  },
  'data-gone': {
    level: 'critical',
    cause: 'the process runs on, and its data dir is gone under it: it will not come back from a restart',
    remedy:
      'do not restart it; with the others healthy, quorate member replace NAME; alone, save a snapshot from it first',
  },
  'member-removed': {
    level: 'critical',
    cause: 'this member was removed from the cluster and still starts with its old data dir (#9613, #9776)',
    remedy:
      'quorate member remove NAME stops its unit and moves its data aside; to have it back: quorate member add NAME',
    lines: [
      /the member has been permanently removed from the cluster/,
      /data-dir used by this member must be removed/,
      /rejected stream from remote peer because it was removed/,
    ],
    freshMs: REPEATED_MS,
  },
  'member-unlisted': {
    level: 'critical',
    cause: 'the member answers and is not in the member list of the cluster',
    remedy: 'compare with quorate status; its data dir may be that of another cluster, or it was removed',
  },
  'member-unknown': {
    level: 'warning',
    cause: 'the cluster has a member that the inventory does not list',
    remedy: 'list it under controllers, or remove it: quorate member remove ID',
  },
  'member-unstarted': {
    level: 'warning',
    cause: 'a member was added and never started: it counts as a voter that is down, unless it is a learner',
    remedy: 'quorate member add NAME goes on with it; quorate member remove ID takes the addition back',
  },
  'member-unannounced': {
    level: 'warning',
    cause:
      'a member that got its data as a raft snapshot does not announce itself, and keeps a processor busy trying, until something is written: it has applied no entry itself yet (etcd 3.5 to 3.7)',
    remedy:
      'write anything on another member, once: etcdctl put KEY VALUE; quorate member add and replace do that by themselves',
    lines: [inOrder('failed to publish local member to cluster through raft', 'etcdserver: too many requests')],
  },
  learner: {
    level: 'warning',
    cause: 'a member is still a learner: it does not vote',
    remedy: 'once it has caught up, quorate member promote NAME; where it cannot: quorate member remove NAME',
  },
  'initial-cluster': {
    level: 'critical',
    cause:
      'initial-cluster in the configuration does not fit the cluster or the member itself: a name, a peer URL or the number of members differs (#15787, #5244)',
    remedy:
      'quorate plan shows how the file differs from the inventory; for a member that was added, it must be what member add printed',
    lines: [
      /couldn't find local name/,
      /member count is unequal/,
      /unmatched member while checking PeerURLs/,
      inOrder('--initial-cluster has ', ' but missing from --initial-advertise-peer-urls'),
    ],
  },
  'alarm-nospace': {
    level: 'critical',
    cause:
      'the NOSPACE alarm: the database reached its quota, and every write is refused on all members until the alarm is cleared (#9992, #16779)',
    remedy:
      'in this order: etcdctl compact to the current revision; etcdctl defrag on each member, the leader last; etcdctl alarm disarm; then raise quota-backend-bytes or compact regularly',
    lines: [/alarm raised alarm=NOSPACE/],
    freshMs: STATE_TELLS,
  },
  'data-differs': {
    level: 'critical',
    cause:
      'the data of members differs: etcd raises the CORRUPT alarm, or a member refuses to start beside the others (#13766, #14139)',
    remedy:
      'quorate verify names the member that differs; while a majority agrees, quorate member replace NAME gives it the data of the others and takes the alarm back',
    lines: [
      /hashes must match/,
      /found different hash values from remote peer/,
      /found data inconsistency/,
      /checkInitialHashKV failed/,
      /alarm raised alarm=CORRUPT/,
    ],
  },
  'database-quota': {
    level: 'warning',
    cause: 'the database nears its quota; at the quota every write is refused',
    remedy:
      'compact and defragment (etcdctl compact, etcdctl defrag, one member after another), or raise quota-backend-bytes',
  },
  'database-fragmented': {
    level: 'warning',
    cause: 'most of the database file is free pages: it takes disk, memory and snapshot time for nothing',
    remedy: 'etcdctl defrag, one member after another, the leader last: each blocks while it runs (#15477)',
  },
  'database-damaged': {
    level: 'critical',
    cause:
      'the data on disk cannot be read: cut off or changed by a power cut, a failing disk or a copy of a running member',
    remedy: 'with a healthy majority, move the data dir aside, and remove and add the member; else restore a snapshot',
    lines: [
      /crc mismatch/,
      /failed to find database snapshot file/,
      /failed to recover v3 backend/,
      /need non-empty snapshot/,
    ],
  },
  'version-too-old': {
    level: 'critical',
    cause: 'an older etcd than the cluster was raised to starts on its data',
    remedy: 'put the version that the cluster runs on this host: quorate status shows versions on disk and running',
    lines: [/server version is lower than determined cluster version/, /incompatible with current running cluster/],
  },
  'wal-tail': {
    level: 'critical',
    cause: 'entries that etcd 3.5 wrote stand at the end of the WAL, which 3.7 cannot parse: it panics at each start',
    remedy:
      'put the 3.6 binary back on this member; with all members on 3.6, restart each with a small snapshot-count and write more entries than that, then go to 3.7',
    lines: [/unmarshal should never fail/],
  },
  'v2-content': {
    level: 'critical',
    cause: 'the data holds keys of the v2 API, with which etcd 3.6 refuses to start',
    remedy: 'go back to 3.5 on this member, look with etcdutl check v2store, and remove or migrate the v2 keys',
    lines: [/detected disallowed (custom )?(v2 )?content in v2store/],
  },
  'version-hazard': {
    level: 'warning',
    cause: 'this version of etcd has known faults',
    remedy: 'plan an upgrade to the newest patch release of the same minor',
  },
} as const satisfies Readonly<Record<string, Symptom>>;
