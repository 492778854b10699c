/** Cost against hosts: `plan` over 1 to 100 controllers, which are as many sshds on one lab host. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downLab, type Lab, upLab } from '../../src/lab/lab.ts';
import { labInventory } from '../../src/lab/lab-inventory.ts';
import type { Say } from '../../src/lab/say.ts';
import { type Arena, wipeHost } from './arena.ts';
import { runPyinfra, writePyinfraInventory } from './contenders.ts';
import { contest, program, root } from './files.ts';
import type { Crowd, CrowdPoint } from './limits.ts';
import { type Measured, measure, spreadOf } from './measure.ts';
import type { Tools } from './tools.ts';

/** How many hosts the last point of the curve has. */
const MOST_HOSTS = 100;
const points = [1, 3, 30, MOST_HOSTS] as const;

interface Address {
  readonly name: string;
  readonly ipv4: string;
}

/** Measures on a lab of its own. */
export async function measureScale(
  arena: Arena,
  tools: Tools,
  { rounds, say }: { readonly rounds: number; readonly say: Say },
): Promise<Crowd> {
  const labs = { root: join(root, '.lab') };
  await downLab('bench-crowd', labs);
  say(`making a lab host with ${MOST_HOSTS} addresses`);
  const lab = await upLab('bench-crowd', { ...labs, hosts: ['crowd'], packages: ['python3'], signal: arena.signal });
  try {
    const crowd = await gather(lab);
    const plan = new Map<number, Measured[]>(points.map((count) => [count, []]));
    const inventories = await writeInventories(arena, lab, crowd);
    for (let round = 0; round < rounds; round += 1) {
      for (const [count, inventory] of inventories) {
        say(`round ${round + 1} of ${rounds}: plan over ${count}`);
        plan.get(count)?.push(await runPlan(arena, inventory));
      }
    }
    const pyinfra = await measurePyinfra(arena, tools, { lab, crowd, rounds, say });
    return { curve: [...plan].map(pointOf), pyinfra: spreadOf(pyinfra.map(({ wallMs }) => wallMs)) };
  } finally {
    await downLab('bench-crowd', labs);
  }
}

function pointOf([hosts, runs]: readonly [number, readonly Measured[]]): CrowdPoint {
  return {
    hosts,
    plan: spreadOf(runs.map(({ wallMs }) => wallMs)),
    peakBytes: spreadOf(runs.map(({ peakBytes }) => peakBytes ?? Number.POSITIVE_INFINITY)),
  };
}

/** An sshd with a name and a machine ID of its own on each address: whoever logs in takes it for a machine. */
const unit = `[Service]
PrivateMounts=yes
BindReadOnlyPaths=/run/crowd/%i:/etc/machine-id
ExecStart=/usr/bin/unshare --uts /bin/sh -c 'hostname host-%i; exec /usr/sbin/sshd -D -o ListenAddress=PREFIX.%i'
`;

/** Gives the host its addresses, each with an sshd. */
async function gather(lab: Lab): Promise<readonly Address[]> {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the lab has no host');
  const prefix = lab.subnet.ipv4Prefix;
  const numbers = Array.from({ length: MOST_HOSTS }, (_, index) => 100 + index);
  const lines = numbers.map((number) => `address replace ${prefix}.${number}/24 dev host0\n`).join('');
  await host.sh('ip -batch -', { stdin: lines });
  await host.putFile('/etc/ssh/sshd_config.d/crowd.conf', `ListenAddress ${host.ipv4}\n`, 0o644);
  await host.putFile('/etc/systemd/system/crowd@.service', unit.replace('PREFIX', prefix), 0o644);
  await host.sh(`mkdir /run/crowd
for each in ${numbers.join(' ')}; do tr -d - </proc/sys/kernel/random/uuid >/run/crowd/$each; done
systemctl daemon-reload
systemctl restart ssh
systemctl start ${numbers.map((number) => `crowd@${number}`).join(' ')}`);
  const crowd = numbers.map((number) => ({ name: `host-${number}`, ipv4: `${prefix}.${number}` }));
  const known = await readFile(lab.ssh.knownHostsFile, 'utf8');
  const keys = known
    .trim()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ')));
  const added = crowd.flatMap(({ name, ipv4 }) => keys.map((key) => `${name},${ipv4}${key}\n`));
  await writeFile(lab.ssh.knownHostsFile, known + added.join(''));
  return crowd;
}

async function writeInventories(
  arena: Arena,
  lab: Lab,
  crowd: readonly Address[],
): Promise<ReadonlyMap<number, string>> {
  const { version, tarball } = arena.release;
  const binaries = { source: 'file', path: tarball };
  const files = new Map<number, string>();
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the lab has no host');
  for (const count of points) {
    const hosts = crowd.slice(0, count).map((each) => ({ ...host, ...each }));
    const file = join(arena.work, `crowd-${count}.yml`);
    await writeFile(file, labInventory({ ...lab, hosts }, { name: `crowd-${count}`, version, binaries }));
    files.set(count, file);
  }
  return files;
}

function runPlan(arena: Arena, inventory: string): Promise<Measured> {
  return measure([process.execPath, program, 'plan', '-i', inventory], {
    cwd: arena.work,
    env: { HOME: arena.work, XDG_CONFIG_HOME: '', CI: 'true' },
    peak: true,
    signal: arena.signal,
  });
}

/** The files are put once; etcd is not started, because all addresses are one host's. */
async function measurePyinfra(
  arena: Arena,
  tools: Tools,
  { lab, crowd, rounds, say }: { lab: Lab; crowd: readonly Address[]; rounds: number; say: Say },
): Promise<readonly Measured[]> {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the lab has no host');
  await wipeHost(host);
  const member = arena.lab.hosts[0]?.name ?? '';
  const hosts = crowd.map(({ name, ipv4 }) => ({ name, address: ipv4, member }));
  const shared = { start: false, knownHosts: lab.ssh.knownHostsFile };
  const crowded = { ...arena, lab };
  await measure(['sh', join(contest, 'pki/authorities.sh'), join(arena.work, 'pki')], { signal: arena.signal });
  const first = join(arena.work, 'pyinfra-first');
  await runPyinfra(
    crowded,
    tools,
    await writePyinfraInventory(crowded, { ...shared, folder: first, hosts: hosts.slice(0, 1) }),
  );
  const inventory = await writePyinfraInventory(crowded, { ...shared, folder: join(arena.work, 'pyinfra-all'), hosts });
  const runs: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`round ${round + 1} of ${rounds}: pyinfra over ${MOST_HOSTS}`);
    runs.push(await runPyinfra(crowded, tools, inventory));
  }
  return runs;
}
