/** The tools, each as two runs under the clock: from bare hosts to a healthy cluster, and again with nothing to do. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tryProgram } from '../../src/lab/program.ts';
import type { Arena } from './arena.ts';
import { contest, program } from './files.ts';
import { type Measured, measure } from './measure.ts';
import type { Tools } from './tools.ts';

export interface Contender {
  readonly name: 'quorate' | 'ansible' | 'pyinfra' | 'floor';
  /** Milliseconds from bare hosts until the cluster is healthy. */
  deploy(): Promise<number>;
  /** Milliseconds of a run with nothing to do, directly after `deploy`; undefined where there is no such run. */
  readonly again?: () => Promise<number>;
}

/** quorate as a user runs it: `bootstrap`, and `plan` as the run with nothing to do. */
export function quorate(arena: Arena): Contender {
  const run = (args: readonly string[]): Promise<Measured> =>
    measure([process.execPath, program, ...args, '-i', arena.inventory], {
      cwd: arena.work,
      env: { HOME: arena.work, XDG_CONFIG_HOME: '', CI: 'true' },
      signal: arena.signal,
    });
  return {
    name: 'quorate',
    deploy: async () => (await run(['bootstrap', '--yes', '--new-identity', 'identity.txt'])).wallMs,
    again: async () => (await run(['plan', '--exit-code'])).wallMs,
  };
}

/** `ansible-playbook test/bench/ansible/site.yml`; each run opens its own connections, as the other tools do. */
export function ansible(arena: Arena, tools: Tools): Contender {
  const folder = join(arena.work, 'ansible');
  const sockets = join(folder, 'sockets');
  const play = async (): Promise<Measured> => {
    const inventory = await writeAnsibleInventory(arena, folder);
    const variables = {
      version: arena.release.version,
      tarball: arena.release.tarball,
      files: arena.rendered,
      pki: join(arena.work, 'pki'),
      scripts: join(contest, 'pki'),
    };
    const argv = [tools.ansiblePlaybook, '-i', inventory, '-e', JSON.stringify(variables), 'site.yml'];
    const env = {
      ANSIBLE_HOME: folder,
      ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
      ANSIBLE_LOCAL_TEMP: join(folder, 'tmp'),
    };
    try {
      return await measure(argv, { cwd: join(contest, 'ansible'), env, signal: arena.signal });
    } finally {
      await closeMasters(sockets);
    }
  };
  return {
    name: 'ansible',
    deploy: async () => (await play()).wallMs,
    again: async () => {
      const run = await play();
      if (/changed=[1-9]/.test(run.stdout))
        throw new Error(`the playbook's second run changed something:\n${run.stdout}`);
      return run.wallMs;
    },
  };
}

/** `pyinfra INVENTORY test/bench/pyinfra/deploy.py`. */
export function pyinfra(arena: Arena, tools: Tools): Contender {
  const folder = join(arena.work, 'pyinfra');
  const deploy = async (): Promise<number> => {
    const hosts = arena.lab.hosts.map(({ name, ipv4 }) => ({ name, address: ipv4, member: name }));
    const inventory = await writePyinfraInventory(arena, { folder, hosts, start: true });
    await measure(['sh', join(contest, 'pki/authorities.sh'), join(arena.work, 'pki')], { signal: arena.signal });
    return (await runPyinfra(arena, tools, inventory)).wallMs;
  };
  return { name: 'pyinfra', deploy, again: deploy };
}

export interface PyinfraHosts {
  readonly folder: string;
  readonly hosts: readonly { readonly name: string; readonly address: string; readonly member: string }[];
  /** Whether etcd is started and its health awaited. */
  readonly start: boolean;
  readonly knownHosts?: string;
}

/** Writes an inventory for deploy.py and returns its path. */
export async function writePyinfraInventory(arena: Arena, input: PyinfraHosts): Promise<string> {
  const { lab, release, mirror } = arena;
  const shared = {
    ssh_user: 'ops',
    ssh_key: lab.ssh.identityFile,
    ssh_known_hosts_file: input.knownHosts ?? lab.ssh.knownHostsFile,
    ssh_strict_host_key_checking: 'yes',
    ssh_config_file: '/dev/null',
    ssh_allow_agent: false,
    ssh_look_for_keys: false,
    _sudo: true,
    version: release.version,
    url: `${mirror.url}${release.tarball.slice(release.root.length)}`,
    sha256: release.sha256,
    files: arena.rendered,
    pki: join(arena.work, 'pki'),
    scripts: join(contest, 'pki'),
    start: input.start,
  };
  const hosts = input.hosts.map(({ name, address, member }) => [name, { ssh_hostname: address, address, member }]);
  await mkdir(input.folder, { recursive: true });
  const file = join(input.folder, 'inventory.py');
  const json = JSON.stringify({ hosts, shared });
  // Parsed rather than pasted: JSON's true is no Python.
  await writeFile(
    file,
    `import json\n\nread = json.loads(${JSON.stringify(json)})\netcd = ([(name, data) for name, data in read["hosts"]], read["shared"])\n`,
  );
  return file;
}

/** Runs deploy.py over an inventory. */
export function runPyinfra(arena: Arena, tools: Tools, inventory: string): Promise<Measured> {
  const argv = [tools.pyinfra, '-y', inventory, join(contest, 'pyinfra/deploy.py')];
  return measure(argv, { cwd: join(inventory, '..'), signal: arena.signal });
}

async function writeAnsibleInventory(arena: Arena, folder: string): Promise<string> {
  const { lab } = arena;
  await mkdir(join(folder, 'sockets'), { recursive: true });
  const file = join(folder, 'inventory.yml');
  const hosts = Object.fromEntries(lab.hosts.map(({ name, ipv4 }) => [name, { ansible_host: ipv4 }]));
  const vars = {
    ansible_user: 'ops',
    ansible_ssh_private_key_file: lab.ssh.identityFile,
    ansible_ssh_common_args: `-F none -o UserKnownHostsFile="${lab.ssh.knownHostsFile}" -o IdentitiesOnly=yes`,
  };
  await writeFile(file, JSON.stringify({ etcd: { hosts, vars } }));
  return file;
}

/** Ends the connections that ControlPersist keeps, so that no run profits from another's. */
async function closeMasters(sockets: string): Promise<void> {
  for (const name of await readdir(sockets).catch(() => [])) {
    await tryProgram(['ssh', '-S', join(sockets, name), '-O', 'exit', 'any'], { timeoutMs: 5_000 });
  }
  await rm(sockets, { recursive: true, force: true });
}
