/** What takes data away, on folders of this machine: run as root, with mounts of a private namespace. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asideScript, deleteScript } from '../../../src/apply/data-script.ts';
import { isRoot, run, shells, temporaryFolder } from './shell.ts';

const NAME = '20260101T000000Z';
const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

/** A folder `data` with a member in it. */
function prepare(): { readonly folder: string; readonly data: string } {
  const folder = temporaryFolder();
  const data = `${folder}/data`;
  mkdirSync(`${data}/member/wal`, { recursive: true });
  writeFileSync(`${data}/member/wal/0.wal`, 'precious');
  return { folder, data };
}

const folderOf = (path: string) => ({ path, entry: 'member' }) as const;
const strict = (script: string): string => `set -eu\n${script}`;

describe.each(shells)('in %s', (shell) => {
  it('moves a folder aside as a whole, and deletes it as a whole', async () => {
    const { folder, data } = prepare();
    expect(await run(shell, strict(asideScript(folderOf(data), NAME)))).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(folder)).toEqual([`data.${NAME}`]);
    expect(readFileSync(`${data}.${NAME}/member/wal/0.wal`, 'utf8')).toBe('precious');
    const other = prepare();
    expect(await run(shell, strict(deleteScript(folderOf(other.data))))).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(other.folder)).toEqual([]);
  });

  it('leaves alone what others keep in the folder', async () => {
    const { folder, data } = prepare();
    writeFileSync(`${data}/.hidden`, 'theirs');
    expect((await run(shell, strict(asideScript(folderOf(data), NAME)))).status).toBe(0);
    expect(readdirSync(folder)).toEqual(['data']);
    expect(readdirSync(data).sort()).toEqual(['.hidden', `aside.${NAME}`]);
    expect(readFileSync(`${data}/aside.${NAME}/member/wal/0.wal`, 'utf8')).toBe('precious');
    mkdirSync(`${data}/member`);
    expect((await run(shell, strict(deleteScript(folderOf(data))))).status).toBe(0);
    expect(readdirSync(data).sort()).toEqual(['.hidden', `aside.${NAME}`]);
  });

  it('takes nothing away through a link', async () => {
    const { folder, data } = prepare();
    symlinkSync(data, `${folder}/link`);
    for (const script of [asideScript(folderOf(`${folder}/link`), NAME), deleteScript(folderOf(`${folder}/link`))]) {
      const ended = await run(shell, strict(script));
      expect(ended.status).toBe(1);
      expect(ended.stderr).toContain('link is a symbolic link');
    }
    expect(readFileSync(`${data}/member/wal/0.wal`, 'utf8')).toBe('precious');
  });

  it('removes an entry that is a link, and not what it leads to', async () => {
    const { folder, data } = prepare();
    mkdirSync(`${folder}/other`);
    symlinkSync(`${data}/member`, `${folder}/other/member`);
    expect((await run(shell, strict(deleteScript(folderOf(`${folder}/other`))))).status).toBe(0);
    expect(existsSync(`${folder}/other`)).toBe(false);
    expect(readFileSync(`${data}/member/wal/0.wal`, 'utf8')).toBe('precious');
  });

  it.skipIf(!canMount).each(['bind', 'tmpfs'])('works inside a %s mount, and leaves the mount', (kind) => {
    const { folder, data } = prepare();
    mkdirSync(`${folder}/disk`);
    const mount = kind === 'bind' ? `mount --bind '${folder}/disk' '${data}'` : `mount -t tmpfs none '${data}'`;
    const fill = `mkdir -p '${data}/member/wal' '${data}/lost+found'; echo on-disk >'${data}/member/wal/1.wal'`;
    const within = (script: string) => {
      const whole = `${mount}; ${fill}\nset -eu\n${script}\ncd '${data}' && find . | sort`;
      return spawnSync('unshare', ['-m', shell, '-c', whole], { encoding: 'utf8' });
    };
    const aside = within(asideScript(folderOf(data), NAME));
    expect(aside.stderr).toBe('');
    const left = ['.', `./aside.${NAME}`, `./aside.${NAME}/member`, `./aside.${NAME}/member/wal`];
    expect(aside.stdout.trim().split('\n')).toEqual([...left, `./aside.${NAME}/member/wal/1.wal`, './lost+found']);
    const deleted = within(`rm -rf '${data}'/aside.*\n${deleteScript(folderOf(data))}`);
    expect(deleted.stderr).toBe('');
    expect(deleted.stdout.trim().split('\n')).toEqual(['.', './lost+found']);
    expect(readFileSync(`${data}/member/wal/0.wal`, 'utf8')).toBe('precious');
  });
});
