/** Sections of an inventory that are the same for all hosts, from what runs on each. Pure. */
import { hazardsOf } from '../domain/hazards.ts';
import { unitRule, versionRule } from '../inventory/name-rules.ts';
import { existingDirRule, ownDirRule } from '../inventory/path-rules.ts';
import { etcdSection } from './as-it-is.ts';
import type { FoundHost, Note } from './found.ts';
import type { FoundMember } from './member.ts';

/** The version that all run; differing ones are noted. */
export function commonVersion(hosts: readonly FoundHost[], notes: Note[]): string {
  const versions = [...new Set(hosts.map(({ member }) => member.process.version))];
  const [first = ''] = versions;
  if (versions.length > 1) {
    const text = `members run different versions: ${hosts.map(({ host, member }) => `${host} ${member.process.version}`).join(', ')}`;
    notes.push({ level: 'blocks', host: '', text, hint: 'finish that upgrade first, member by member' });
  }
  const flaw = versionRule.check(first);
  if (flaw === undefined) return first;
  const text = `etcd ${first || '(unknown version)'} ${flaw.problem}`;
  notes.push({
    level: 'blocks',
    host: '',
    text,
    hint: 'quorate knows 3.4 to 3.7: bring it to 3.4 first, by the guides of its time',
  });
  return '3.4.45';
}

/** Folders that all share; data that lies otherwise is noted. */
export function pathsOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  const data = commonPath(hosts, notes, { what: 'data dir', of: ({ dataDir }) => dataDir });
  const wal = commonPath(hosts, notes, { what: 'WAL dir', of: ({ walDir }) => walDir });
  const used = hosts.some(({ survey: { there } }) => (there['/etc/etcd/pki'] ?? 'symbolic link') !== 'symbolic link');
  if (wal !== '' && !wal.endsWith('/wal')) {
    const text = `its WAL lies in ${wal}, and quorate keeps one in a folder named wal`;
    notes.push({
      level: 'blocks',
      host: '',
      text,
      hint: `move it member by member: stop it, mv ${wal} ${wal}.d/wal, set wal-dir, start it`,
    });
  }
  return {
    ...(used ? { configDir: '/etc/quorate' } : {}),
    ...(data === '/var/lib/etcd' || data === '' ? {} : { dataDir: data }),
    ...(wal.endsWith('/wal') ? { walDir: wal.slice(0, -4) } : {}),
  };
}

function commonPath(
  hosts: readonly FoundHost[],
  notes: Note[],
  { what, of }: { readonly what: string; readonly of: (member: FoundMember) => string },
): string {
  const found = hosts.map(({ host, member }) => ({ host, path: of(member) }));
  const [first] = found;
  if (first === undefined || found.every(({ path }) => path === '')) return '';
  const flaw = ownDirRule.check(first.path);
  if (found.some(({ path }) => path !== first.path)) {
    const text = `members have different ${what}s: ${found.map(({ host, path }) => `${host} ${path}`).join(', ')}`;
    notes.push({
      level: 'blocks',
      host: '',
      text,
      hint: `an inventory has one for all: stop a member, move it to /var/lib/etcd, start it; one at a time`,
    });
  } else if (flaw !== undefined) {
    notes.push({ level: 'blocks', host: '', text: `the ${what} ${first.path} ${flaw.problem}`, hint: flaw.remedy });
  }
  return first.path;
}

/** Unit and account. */
export function serviceOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  noteKubelet(hosts, notes);
  const units = [...new Set(hosts.map(({ member }) => member.process.unit))];
  const users = [...new Set(hosts.map(({ member }) => member.process.user))];
  const [unit = ''] = units;
  const [user = ''] = users;
  for (const { host, member, survey } of hosts) {
    const { supervisor, executable, dropIns } = member.process;
    const ours = dropIns.filter((each) => each.startsWith('/etc/systemd/system/'));
    if (supervisor === 'container' || supervisor === 'process') {
      const by = { container: 'a container engine', process: 'nobody: it is a plain process' };
      const hint = `run it as a systemd unit first, on the same data dir; ${executable}`;
      notes.push({ level: 'blocks', host, text: `its etcd is run by ${by[supervisor]}`, hint });
    }
    if (survey.manifest !== '' && supervisor !== 'static-pod') {
      const text = `${survey.manifest} is there: the kubelet would start a second etcd on the same data`;
      notes.push({ level: 'blocks', host, text, hint: 'move it out of that folder first, and keep it' });
    }
    for (const each of ours) {
      notes.push({
        level: 'blocks',
        host,
        text: `${each} changes the unit, and would change quorate's too`,
        hint: `look at it, and move it away: its unit keeps running until a restart`,
      });
    }
  }
  if (units.length > 1 || unitRule.check(unit) !== undefined) {
    notes.push({
      level: 'changes',
      host: '',
      text: `the members run as ${units.join(', ') || 'no unit'}; quorate's unit is ${unit || 'etcd.service'}`,
    });
  }
  if (users.length > 1 || user === 'root') {
    notes.push({
      level: 'changes',
      host: '',
      text: `etcd runs as ${users.join(', ')}; quorate runs it as etcd, which gets the data dir`,
    });
  }
  return {
    ...(unit === 'etcd.service' || unitRule.check(unit) !== undefined ? {} : { unit }),
    ...(users.length === 1 && user !== 'root' && user !== 'etcd' && /^[a-z_][a-z0-9_-]{0,30}$/.test(user)
      ? { user }
      : {}),
  };
}

/** The kubelet starts what its manifest says again and again: a member of quorate's beside that would be a second one on the same data. */
function noteKubelet(hosts: readonly FoundHost[], notes: Note[]): void {
  const pods = hosts.filter(({ member }) => member.process.supervisor === 'static-pod').map(({ host }) => host);
  if (pods.length === 0) return;
  notes.push({
    level: 'kept',
    host: '',
    text: `etcd is run by the kubelet, as static pods (${pods.join(', ')}): their manifests are kubeadm's, and quorate looks at them and no more`,
    hint: 'leave it with kubeadm; or run each member as a unit first, one after another (docs/operations.md, adopt, "Static pods of kubeadm"), and adopt it then',
  });
}

/** The keys of the first member; where others differ is noted. */
export function etcdOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, unknown>> {
  const sections = hosts.map((each) => ({ host: each.host, ...etcdSection(each.member) }));
  const [first] = sections;
  for (const { host, left } of sections) for (const each of left) notes.push({ level: 'changes', host, text: each });
  for (const { host, member } of hosts) {
    for (const each of member.settings.ignored) notes.push({ level: 'told', host, text: each });
  }
  for (const each of sections.slice(1)) {
    const keys = [...new Set([...Object.keys(first?.keys ?? {}), ...Object.keys(each.keys)])];
    for (const key of keys.filter((one) => JSON.stringify(first?.keys[one]) !== JSON.stringify(each.keys[one]))) {
      const text = `${key} is ${JSON.stringify(each.keys[key])} here and ${JSON.stringify(first?.keys[key])} on ${first?.host}: the inventory has the latter for all`;
      notes.push({ level: 'changes', host: each.host, text });
    }
  }
  return first?.keys ?? {};
}

/** As they are, unless they lie where quorate puts its links: then it installs the same version, and the links replace them. */
export function binariesOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  const folders = [...new Set(hosts.map(({ member }) => member.process.executable.replace(/\/[^/]*$/, '')))];
  const [folder = ''] = folders;
  const wanted = hosts[0]?.member.minor === '3.4' ? ['etcdctl'] : ['etcdctl', 'etcdutl'];
  const lacking = wanted.filter((name) => hosts.some(({ details }) => details.seen[`${folder}/${name}`] === undefined));
  const named = hosts.every(({ member }) => member.process.executable.endsWith('/etcd'));
  const usable = folder !== LINKS && existingDirRule.check(folder) === undefined;
  if (folders.length === 1 && named && lacking.length === 0 && usable) return { source: 'system', directory: folder };
  const without = lacking.length === 0 ? '' : ` without ${lacking.join(', ')}`;
  const text = `the binaries lie in ${folders.join(', ')}${without}: quorate installs the official release of the same version, with links in ${LINKS}`;
  notes.push({ level: 'changes', host: '', text });
  return { source: 'release' };
}

/** Where an inventory has the links to the binaries in use, unless it says otherwise. */
const LINKS = '/usr/local/bin';

/** It runs already: refusing the version would keep it from being upgraded away. */
export function hazardsOfRunning(version: string, notes: Note[]): readonly string[] {
  const refused = hazardsOf(version).filter(({ severity }) => severity === 'refuse');
  for (const { id, reason } of refused) {
    notes.push({
      level: 'told',
      host: '',
      text: `etcd ${version}: ${reason} (${id}): accepted in the inventory because it runs; upgrade soon`,
      hint: 'quorate upgrade',
    });
  }
  return refused.map(({ id }) => id);
}
