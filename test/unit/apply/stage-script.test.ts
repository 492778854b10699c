import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Fragment, StagedFile } from '../../../src/apply/fragment.ts';
import { stagedNames } from '../../../src/apply/fragment.ts';
import { LOCK_LOST, stageScript } from '../../../src/apply/prelude.ts';
import { stageInput, stageTar } from '../../../src/apply/stage-tar.ts';
import { quote } from '../../../src/domain/shell-quote.ts';
import { inFolder, isRoot, linesOf, modeOf, run, shells, start, temporaryFolder } from './shell.ts';

const TOKEN = 'token-of-this-run';

function lockedFolder(token = TOKEN): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lock'));
  writeFileSync(join(folder, 'lock', 'token'), `${token}\n`);
  return folder;
}

function frame(tar: Buffer, probe = ':') {
  return { token: TOKEN, tarBytes: tar.length, probe };
}

async function runStage(shell: string, folder: string, fragments: readonly Fragment[]) {
  const tar = await stageTar(fragments.flatMap((each) => each.files));
  const script = inFolder(stageScript(fragments, frame(tar, 'echo probed')), folder);
  const rest = await fragments.find(({ stdin }) => stdin !== undefined)?.stdin?.read();
  return run(shell, script, { input: stageInput(tar, rest) });
}

function shellStep(script: string, files: readonly StagedFile[] = []): Fragment {
  return { script, files };
}

const owner = isRoot ? ['daemon', 'daemon'] : [execFileSync('id', ['-un'], { encoding: 'utf8' }).trim(), ''];

it('has two shells to run in', () => expect(shells.length).toBeGreaterThan(0));

describe.each(shells)('a stage’s script in %s', (shell) => {
  it('runs the steps in order, says so, and ends with the probe', async () => {
    const folder = lockedFolder();
    const result = await runStage(shell, folder, [shellStep('echo one'), shellStep('echo two')]);
    expect(result).toEqual({
      status: 0,
      stdout: 'quorate-step 0\none\nquorate-step 1\ntwo\nquorate-steps done\nprobed\n',
      stderr: '',
    });
  });

  it('does nothing without the lock of its run, and leaves no note in another’s', async () => {
    const folder = lockedFolder('token of another run');
    const result = await runStage(shell, folder, [shellStep(`touch ${folder}/done`)]);
    expect(result.status).toBe(LOCK_LOST);
    expect(result.stdout).toBe('');
    expect(readdirSync(folder)).toEqual(['lock']);
    expect(readdirSync(join(folder, 'lock'))).toEqual(['token']);
  });

  it('does nothing where there is no lock at all', async () => {
    const folder = temporaryFolder();
    const result = await runStage(shell, folder, [shellStep(`touch ${folder}/done`)]);
    expect(result.status).toBe(LOCK_LOST);
    expect(result.stderr).toBe('the lock of this run is gone from this host\n');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends at the first step that fails, and leaves neither note nor staged files', async () => {
    const folder = lockedFolder();
    const steps = [shellStep('echo fine'), shellStep('false'), shellStep(`touch ${folder}/done`)];
    const result = await runStage(shell, folder, steps);
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('quorate-step 0\nfine\nquorate-step 1\n');
    expect(readdirSync(folder)).toEqual(['lock']);
    expect(readdirSync(join(folder, 'lock'))).toEqual(['token']);
  });

  it('notes itself in the lock while it runs, with its start time', async () => {
    const folder = lockedFolder();
    const result = await runStage(shell, folder, [
      shellStep(`cd ${folder}/lock; for f in run.*; do echo "$f $(cat "$f") $(starttime "\${f##*.}") $$"; done`),
    ]);
    const [, name, noted, real, pid] = /run\.(\d+) (\d+) (\d+) (\d+)/.exec(result.stdout) ?? [];
    expect(name).toBe(pid);
    expect(noted).toBe(real);
    expect(readdirSync(join(folder, 'lock'))).toEqual(['token']);
  });

  it('cleans up when it is told to end', async () => {
    const folder = lockedFolder();
    const tar = await stageTar([]);
    const script = inFolder(stageScript([shellStep('sleep 5 & wait')], frame(tar)), folder);
    const child = start(shell, script);
    stageInput(tar).pipe(child.stdin);
    const next = linesOf(child.stdout);
    expect(await next()).toBe('quorate-step 0');
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(readdirSync(folder)).toEqual(['lock']);
    expect(readdirSync(join(folder, 'lock'))).toEqual(['token']);
  });

  it('takes away what an earlier script that was killed had staged', async () => {
    const folder = lockedFolder();
    mkdirSync(join(folder, 'stage.aaaaaa'));
    writeFileSync(join(folder, 'stage.aaaaaa', 'f1'), 'half');
    expect((await runStage(shell, folder, [shellStep(':')])).status).toBe(0);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('fails on a tar stream that was cut', async () => {
    const folder = lockedFolder();
    const tar = await stageTar([{ name: 'f1', content: 'x'.repeat(100_000) }]);
    const script = inFolder(stageScript([shellStep(`touch ${folder}/done`)], frame(tar)), folder);
    const result = await run(shell, script, { input: Readable.from([tar.subarray(0, 50_000)]) });
    expect(result.status).not.toBe(0);
    expect(existsSync(join(folder, 'done'))).toBe(false);
  });

  it('leaves to a step, byte for byte, what follows the tar on stdin', async () => {
    const folder = lockedFolder();
    const release = randomBytes(1_000_001);
    const reads: Fragment = { script: 'sha256sum', files: [], stdin: { read: async () => release } };
    const result = await runStage(shell, folder, [shellStep(':', [{ name: 'f1', content: 'small' }]), reads]);
    expect(result.stdout).toContain(createHash('sha256').update(release).digest('hex'));
  });

  describe.runIf(isRoot)('puts files', () => {
    const put = async (folder: string, path: string, content: string, mode = '0640') => {
      const file = stagedNames()(content);
      return runStage(shell, folder, [layStep(file, path, mode)]);
    };
    const layStep = (file: StagedFile, path: string, mode = '0640', after?: string): Fragment => {
      const words = [path, mode, ...owner].map(quote).join(' ');
      return { ...shellStep(`lay "$stage/${file.name}" ${words}`, [file]), laid: { paths: [path], after } };
    };

    it.each([
      ['plainly', 'etcd.yml'],
      ['into a folder that is not there yet', 'a/b/etcd.yml'],
      ['by a name that a shell would read', `it's "$(id)" \`id\` *; \\ é.yml`],
    ])('%s: content, mode and owner', async (_name, path) => {
      const folder = lockedFolder();
      const content = `line 1\n$HOME 'quoted' \\n é\n\nno line feed at the end`;
      const result = await put(folder, join(folder, 'etc', path), content);
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(readFileSync(join(folder, 'etc', path), 'utf8')).toBe(content);
      expect(modeOf(join(folder, 'etc', path))).toBe('640 daemon:daemon');
    });

    it('over what is there, a link included, and never through it', async () => {
      const folder = lockedFolder();
      writeFileSync(join(folder, 'victim'), 'untouched');
      symlinkSync(join(folder, 'victim'), join(folder, 'file'));
      expect((await put(folder, join(folder, 'file'), 'new', '0600')).status).toBe(0);
      expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new');
      expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
      expect(modeOf(join(folder, 'file'))).toBe('600 daemon:daemon');
    });

    it('or all of a folder, also over what an earlier one left, for everybody to read', async () => {
      const folder = lockedFolder();
      mkdirSync(join(folder, 'to/.new'), { recursive: true });
      writeFileSync(join(folder, 'to/.new/left'), 'cut');
      writeFileSync(join(folder, 'to/a.crt'), 'old');
      const files = ['a', 'b'].map((each) => ({ name: `f1/${each}.crt`, content: each }));
      const result = await runStage(shell, folder, [shellStep(`put_all "$stage/f1" ${folder}/to`, files)]);
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(readdirSync(join(folder, 'to')).sort()).toEqual(['a.crt', 'b.crt']);
      expect(readFileSync(join(folder, 'to/a.crt'), 'utf8')).toBe('a');
      expect(modeOf(join(folder, 'to/b.crt'))).toBe('644 root:root');
    });

    it('over what one that was cut had left', async () => {
      const folder = lockedFolder();
      writeFileSync(join(folder, '.file.quorate-new'), 'half');
      await put(folder, join(folder, 'file'), 'new');
      expect(readdirSync(folder).sort()).toEqual(['file', 'lock']);
    });

    it('of steps that follow each other at once, and before what comes behind them', async () => {
      const folder = lockedFolder();
      const stage = stagedNames();
      const see = `ls -A ${quote(join(folder, 'etc'))}; echo`;
      const result = await runStage(shell, folder, [
        layStep(stage('1'), join(folder, 'etc/one'), '0600', `echo one: ; ${see}`),
        shellStep(see),
        layStep(stage('2'), join(folder, 'etc/two')),
        layStep(stage('3'), join(folder, "etc/it's 3"), '0644', 'echo three:'),
        shellStep(see),
      ]);
      expect(result).toMatchObject({ status: 0, stderr: '' });
      const first = 'quorate-step 0\none:\none\n\nquorate-step 1\none\n\n';
      expect(result.stdout).toContain(
        `${first}quorate-step 2\nquorate-step 3\nthree:\nquorate-step 4\nit's 3\none\ntwo\n`,
      );
      expect(readFileSync(join(folder, "etc/it's 3"), 'utf8')).toBe('3');
      expect(['one', 'two', "it's 3"].map((each) => modeOf(join(folder, 'etc', each)))).toEqual([
        '600 daemon:daemon',
        '640 daemon:daemon',
        '644 daemon:daemon',
      ]);
    });

    it('none of them where one cannot be laid', async () => {
      const folder = lockedFolder();
      const stage = stagedNames();
      writeFileSync(join(folder, 'file'), 'in the way');
      const result = await runStage(shell, folder, [
        layStep(stage('1'), join(folder, 'one')),
        layStep(stage('2'), join(folder, 'file/two')),
      ]);
      expect(result.status).not.toBe(0);
      expect(existsSync(join(folder, 'one'))).toBe(false);
    });

    it('not over a folder', async () => {
      const folder = lockedFolder();
      mkdirSync(join(folder, 'file'));
      const result = await put(folder, join(folder, 'file'), 'new');
      expect(result.status).not.toBe(0);
      expect(readdirSync(join(folder, 'file'))).toEqual([]);
    });

    it('whatever the umask and the tar stream’s own owner are', async () => {
      const folder = lockedFolder();
      const file = stagedNames()('secret');
      const step = shellStep(
        `umask 000; lay "$stage/${file.name}" ${folder}/file 0600 daemon daemon; stat -c %a "$stage" "$stage/${file.name}"`,
        [file],
      );
      const result = await runStage(shell, folder, [{ ...step, laid: { paths: [join(folder, 'file')] } }]);
      expect(result.stdout).toContain('\n700\n600\n');
      expect(modeOf(join(folder, 'file'))).toBe('600 daemon:daemon');
    });
  });

  it('swaps links whole, to folders too', async () => {
    const folder = lockedFolder();
    mkdirSync(join(folder, 'pki.d/1'), { recursive: true });
    mkdirSync(join(folder, 'pki.d/2'));
    symlinkSync('pki.d/1', join(folder, 'pki'));
    symlinkSync('left over', join(folder, 'pki.quorate-new'));
    const result = await runStage(shell, folder, [shellStep(`link pki.d/2 ${folder}/pki`)]);
    expect(result.status).toBe(0);
    expect(readlinkSync(join(folder, 'pki'))).toBe('pki.d/2');
    expect(readdirSync(join(folder, 'pki.d/1'))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['lock', 'pki', 'pki.d']);
  });
});

describe('the tar stream of a stage', () => {
  it('unpacks with GNU tar, all 0600', async () => {
    const folder = temporaryFolder();
    const files: readonly StagedFile[] = [
      { name: 'f1', content: 'text é\n' },
      { name: 'f2', content: '' },
    ];
    const unpacked = spawnSync('tar', ['-xpf', '-', '-C', folder], { input: await stageTar(files) });
    expect(unpacked.stderr.toString()).toBe('');
    expect(readFileSync(join(folder, 'f1'), 'utf8')).toBe('text é\n');
    expect(readFileSync(join(folder, 'f2'), 'utf8')).toBe('');
    expect(['f1', 'f2'].map((each) => modeOf(join(folder, each)).split(' ')[0])).toEqual(['600', '600']);
  });

  it('is a whole archive where there is nothing to send', async () => {
    const listed = spawnSync('tar', ['-tf', '-'], { input: await stageTar([]) });
    expect([listed.status, listed.stdout.toString(), listed.stderr.toString()]).toEqual([0, '', '']);
  });
});
