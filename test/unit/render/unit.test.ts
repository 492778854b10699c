/** The systemd unit, judged by systemd itself; the scripts that it runs, run. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { comparableConfig } from '../../../src/domain/run-record.ts';
import { digestScript, sha256Function } from '../../../src/observe/digests.ts';
import { renderBootstrapFiles, renderHostFiles } from '../../../src/render/host-files.ts';
import { awkward, cluster, inputFor } from './cluster.ts';

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/quorate-unit-`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The files of the first controller, by the last part of their path. */
function filesOf(desired = cluster('3.6.16')) {
  const [first] = desired.controllers;
  if (first === undefined) throw new Error('no controller');
  const input = inputFor(desired);
  const files = [...renderBootstrapFiles(desired, first, input), ...renderHostFiles(desired, first, input)];
  return (name: string) => files.find(({ path }) => path.endsWith(name))?.content ?? '';
}

describe.skipIf(!hasSystemd)('the unit, by systemd-analyze', () => {
  it.each([
    ['plain', cluster('3.4.45')],
    ['awkward', awkward],
  ])('verifies without a word (%s)', (_, desired) => {
    // systemd takes no quotes or backslashes in the path of a program.
    const binDir = `${folder}/bin 100%`;
    mkdirSync(binDir);
    writeFileSync(`${binDir}/etcd`, '#!/bin/sh\n');
    chmodSync(`${binDir}/etcd`, 0o755);
    const file = filesOf({ ...desired, paths: { ...desired.paths, binDir } });
    writeFileSync(`${folder}/quorate-etcd.service`, file('.service'));
    const result = spawnSync('systemd-analyze', ['verify', `${folder}/quorate-etcd.service`], { encoding: 'utf8' });
    expect(`${result.stdout}${result.stderr}`).toBe('');
    expect(result.status).toBe(0);
  });

  it('is exposed no more than 1.3 of 10', () => {
    writeFileSync(`${folder}/quorate-etcd.service`, filesOf()('.service'));
    const words = ['security', '--offline=true', '--threshold=13', '--no-pager', `${folder}/quorate-etcd.service`];
    const result = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
    expect(result.stdout).toMatch(/Overall exposure level for quorate-etcd\.service: 1\.[0-3] /);
    expect(result.status).toBe(0);
  });
});

describe('record-start.sh', () => {
  const config = 'name: "x"\ninitial-cluster: "a"\ninitial-cluster-state: "new"\ninitial-cluster-token: "t"\n  b: 1\n';

  function prepare() {
    const paths = { ...cluster('3.6.16').paths, configDir: `${folder}/etc it's`, binDir: `${folder}/bin` };
    mkdirSync(`${paths.configDir}/pki`, { recursive: true });
    mkdirSync(paths.binDir);
    writeFileSync(`${paths.configDir}/pki/ca.crt`, 'CA');
    writeFileSync(`${paths.configDir}/pki/peer-ca.crt`, 'PEER');
    writeFileSync(`${paths.binDir}/etcd`, 'BINARY');
    writeFileSync(`${paths.configDir}/config.yml`, config);
    const script = filesOf({ ...cluster('3.6.16'), paths })('record-start.sh');
    writeFileSync(`${folder}/etcd.service`, 'UNIT');
    const moved = script.replaceAll('/run/quorate', `${folder}/run`).replaceAll('/etc/systemd/system', folder);
    writeFileSync(`${folder}/record-start.sh`, moved);
    return paths;
  }

  it('notes the start: invocation, comparable configuration, trust, binary, unit', () => {
    const { configDir } = prepare();
    const env = { INVOCATION_ID: 'abc' };
    for (let round = 0; round < 2; round++) {
      const words = [`${folder}/record-start.sh`, `${configDir}/config.yml`];
      const result = spawnSync('/bin/sh', words, { env, encoding: 'utf8' });
      expect(result).toMatchObject({ status: 0, stdout: '', stderr: '' });
    }
    expect(readFileSync(`${folder}/run/etcd.service.run`, 'utf8').split('\n')).toEqual([
      'invocation_id=abc',
      `config_sha256=${sha256(comparableConfig(config))}`,
      `ca_sha256=${sha256('CA')}`,
      `peer_ca_sha256=${sha256('PEER')}`,
      `binary_sha256=${sha256('BINARY')}`,
      `unit_sha256=${sha256('UNIT')}`,
      '',
    ]);
    expect(statSync(`${folder}/run`).mode & 0o777).toBe(0o755);
  });

  it('takes the sum of the binary from the note beside it, as long as that is of this very file', () => {
    const { configDir, binDir } = prepare();
    const noted = () => {
      const words = [`${folder}/record-start.sh`, `${configDir}/config.yml`];
      const result = spawnSync('/bin/sh', words, { env: { INVOCATION_ID: 'abc' }, encoding: 'utf8' });
      expect(result).toMatchObject({ status: 0, stderr: '' });
      return /binary_sha256=(.*)/.exec(readFileSync(`${folder}/run/etcd.service.run`, 'utf8'))?.[1];
    };
    const directory = `${folder}/lib/3.6.16`;
    mkdirSync(directory, { recursive: true });
    renameSync(`${binDir}/etcd`, `${directory}/etcd`);
    symlinkSync('../lib/3.6.16/etcd', `${binDir}/etcd`);
    const note = `${sha256Function}\n${digestScript(directory, directory, ['etcd'])}`;
    expect(spawnSync('/bin/sh', ['-c', note]).status).toBe(0);
    expect(noted()).toBe(sha256('BINARY'));
    const forged = 'f'.repeat(64);
    const text = readFileSync(`${directory}/.digests`, 'utf8');
    writeFileSync(`${directory}/.digests`, `${'0'.repeat(64)}|another\n${text.replace(/^[0-9a-f]+/, forged)}`);
    expect(noted()).toBe(forged);
    writeFileSync(`${directory}/etcd`, 'CHANGED');
    expect(noted()).toBe(sha256('CHANGED'));
  });

  it('leaves no record of an earlier start when it fails', () => {
    const { configDir } = prepare();
    const run = () =>
      spawnSync('/bin/sh', [`${folder}/record-start.sh`, `${configDir}/config.yml`], { env: { INVOCATION_ID: 'a' } });
    expect(run().status).toBe(0);
    rmSync(`${configDir}/pki/ca.crt`);
    expect(run().status).not.toBe(0);
    expect(existsSync(`${folder}/run/etcd.service.run`)).toBe(false);
  });
});

describe('record-starting.sh', () => {
  const prepare = () => {
    const script = `${folder}/record-starting.sh`;
    const paths = { ...cluster('3.6.16').paths, dataDir: `${folder}/da ta` };
    const text = filesOf({ ...cluster('3.6.16'), paths })('record-starting.sh');
    writeFileSync(script, text.replaceAll('/var/lib/quorate', folder));
    const run = (state: 'new' | 'existing' = 'new') => spawnSync('/bin/sh', [script, state], { encoding: 'utf8' });
    return { run, wal: `${folder}/da ta/member/wal` };
  };

  it('copies the attempt, private to root, and fails without one', () => {
    const { run } = prepare();
    expect(run().status).not.toBe(0);
    expect(existsSync(`${folder}/starting.json`)).toBe(false);
    writeFileSync(`${folder}/attempt.json`, '{"uuid":"1"}\n');
    expect(run().status).toBe(0);
    expect(readFileSync(`${folder}/starting.json`, 'utf8')).toBe('{"uuid":"1"}\n');
    expect(statSync(`${folder}/starting.json`).mode & 0o777).toBe(0o600);
  });

  it('lets a member with a WAL start again, and refuses one whose WAL is gone', () => {
    const { run, wal } = prepare();
    writeFileSync(`${folder}/attempt.json`, '{"uuid":"1"}\n');
    expect(run().status).toBe(0);
    mkdirSync(wal, { recursive: true });
    writeFileSync(`${wal}/0000000000000000-0000000000000000.wal`, '');
    expect(run().status).toBe(0);
    rmSync(wal, { recursive: true });
    const refused = run();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('this member was started before and has no data now');
    expect(existsSync(`${folder}/starting.json`)).toBe(true);
  });

  it('notes the first start of a member that joins, and lets it try again', () => {
    const { run } = prepare();
    writeFileSync(`${folder}/attempt.json`, '{"uuid":"1"}\n');
    expect(run('existing').status).toBe(0);
    expect(readFileSync(`${folder}/starting.json`, 'utf8')).toBe('{"uuid":"1"}\n');
    expect(run('existing').status).toBe(0);
    expect(run('new').status).toBe(1);
  });

  it('lets no member join whose start cannot be noted, and keeps none with data down for it', () => {
    const { run, wal } = prepare();
    writeFileSync(`${folder}/attempt.json`, '{"uuid":"1"}\n');
    mkdirSync(`${folder}/starting.json.new`, { recursive: true });
    mkdirSync(`${folder}/starting.json.new/attempt.json`);
    expect(run('existing').status).not.toBe(0);
    mkdirSync(wal, { recursive: true });
    writeFileSync(`${wal}/0000000000000000-0000000000000000.wal`, '');
    expect(run('existing').status).toBe(0);
    expect(existsSync(`${folder}/starting.json`)).toBe(false);
  });

  it('notes nothing of a member that quorate did not form', () => {
    const { run } = prepare();
    expect(run('existing').status).toBe(0);
    expect(existsSync(`${folder}/starting.json`)).toBe(false);
  });
});

describe('etcdctl.sh', () => {
  const source = (readable: boolean) => {
    const paths = { ...cluster('3.4.45').paths, configDir: `${folder}/e tc` };
    mkdirSync(`${paths.configDir}/pki`, { recursive: true });
    if (readable) writeFileSync(`${paths.configDir}/pki/client.key`, '');
    writeFileSync(`${folder}/etcdctl.sh`, filesOf({ ...cluster('3.4.45'), paths })('etcdctl.sh'));
    const script = `set -eu; . ${folder}/etcdctl.sh; env | grep ^ETCDCTL_ | sort; true`;
    return spawnSync('/bin/sh', ['-c', script], { env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
  };

  it('sets etcdctl up for whoever may read the key, and says nothing to others', () => {
    expect(source(false)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(source(true).stdout.split('\n')).toEqual([
      'ETCDCTL_API=3',
      `ETCDCTL_CACERT=${folder}/e tc/pki/ca.crt`,
      `ETCDCTL_CERT=${folder}/e tc/pki/client.crt`,
      'ETCDCTL_ENDPOINTS=https://127.0.0.1:2379',
      `ETCDCTL_KEY=${folder}/e tc/pki/client.key`,
      '',
    ]);
  });
});

describe('etcdctl.sh and PATH', () => {
  const pathAfter = (binDir: string, before: string): string => {
    const paths = { ...cluster('3.6.16').paths, binDir };
    writeFileSync(`${folder}/etcdctl.sh`, filesOf({ ...cluster('3.6.16'), paths })('etcdctl.sh'));
    const script = `. ${folder}/etcdctl.sh; . ${folder}/etcdctl.sh; echo "$PATH"`;
    return spawnSync('/bin/sh', ['-c', script], { env: { PATH: before }, encoding: 'utf8' }).stdout.trim();
  };

  it('adds the folder of the links once, behind the others, and only where it is not there', () => {
    expect(pathAfter('/opt/etcd/bin', '/usr/bin:/bin')).toBe('/usr/bin:/bin:/opt/etcd/bin');
    expect(pathAfter('/usr/local/bin', '/usr/local/bin:/bin')).toBe('/usr/local/bin:/bin');
  });
});

describe('etcdctl completion', () => {
  it.skipIf(spawnSync('bash', ['--version']).status !== 0)('asks etcdctl at the first TAB only', () => {
    const paths = { ...cluster('3.6.16').paths, binDir: `${folder}/bin dir` };
    mkdirSync(paths.binDir);
    const fake = `#!/bin/sh\ntouch '${folder}/asked'\necho 'complete -W "one two" etcdctl'\n`;
    writeFileSync(`${paths.binDir}/etcdctl`, fake, { mode: 0o755 });
    writeFileSync(`${folder}/completion`, filesOf({ ...cluster('3.6.16'), paths })('bash_completion.d/etcdctl'));
    const script = `_get_comp_words_by_ref() { :; }
. ${folder}/completion; [ -e ${folder}/asked ] && echo early
_quorate_etcdctl; echo $?; complete -p etcdctl`;
    const result = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    expect(result.stdout).toBe("124\ncomplete -W 'one two' etcdctl\n");
  });
});
