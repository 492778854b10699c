import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startScript } from '../../../src/apply/unit-start.ts';
import type { Step } from '../../../src/domain/step.ts';
import { run, shells, temporaryFolder } from './shell.ts';

const UNIT_FILE = '/etc/systemd/system/etcd.service';
const root = { mode: '0644', owner: 'root', group: 'root', content: '' };

const step: Step<'unit.start'> = {
  ...{ id: 'unit.start/etcd-1/etcd.service', kind: 'unit.start', host: 'etcd-1', why: '' },
  ...{ unit: 'etcd.service', state: 'new' },
  files: [
    { path: '/run/quorate/bootstrap/etcd-config.yml', ...root },
    { path: '/run/quorate/bootstrap/environment', ...root },
  ],
};

const neverRun = ['ActiveState=inactive', 'NRestarts=0', 'InvocationID='];
const asWritten = ['DropInPaths=', 'LoadState=loaded', `FragmentPath=${UNIT_FILE}`, 'NeedDaemonReload=no'];

/** How often a start is seen in the queue is the number of lines in `$queue`; a systemctl that shows these lines, tells what else it is asked for, and fails on what it does not know. */
function systemctl(shown: readonly string[]): string {
  return `systemctl() {
  case "$*" in
    'show -p LoadState,NeedDaemonReload,FragmentPath,DropInPaths,ActiveState,NRestarts,InvocationID -- etcd.service') printf '%s\\n' '${shown.join("' '")}' ;;
    'show -p ActiveState --value -- etcd.service')
      if [ -s "$queue" ]; then sed -i 1d "$queue"; echo inactive; else echo activating; fi ;;
    daemon-reload | 'reset-failed etcd.service' | 'start --no-block etcd.service') echo "$*" ;;
    *) echo "unknown: $*" >&2; exit 1 ;;
  esac
}`;
}

async function asked(shell: string, shown: readonly string[], queue = '/dev/null'): Promise<readonly string[]> {
  const { status, stdout, stderr } = await run(
    shell,
    `set -eu\nqueue=${queue}\n${systemctl(shown)}\n${startScript(UNIT_FILE, step)}`,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim().split('\n');
}

const known = [...asWritten, ...neverRun];
const start = ['start --no-block etcd.service'];
const without = (name: string): readonly string[] => known.filter((each) => !each.startsWith(name));

describe.each(shells)('starting a unit in %s', (shell) => {
  it('reloads nothing where systemd knows the unit as it is', async () => {
    expect(await asked(shell, known)).toEqual(start);
  });

  it('ends once the start is no longer in the queue', async () => {
    const queue = join(temporaryFolder(), 'queue');
    writeFileSync(queue, 'queued\nqueued\n');
    expect(await asked(shell, known, queue)).toEqual(start);
    expect(readFileSync(queue, 'utf8')).toBe('');
  });

  it.each([
    ['the unit is not found', [...without('LoadState'), 'LoadState=not-found']],
    ['files have changed since', [...without('NeedDaemonReload'), 'NeedDaemonReload=yes']],
    ['another unit of that name is loaded', [...without('Fragment'), 'FragmentPath=/lib/systemd/system/etcd.service']],
    ['there is a drop-in', [...without('DropIn'), 'DropInPaths=/etc/systemd/system/etcd.service.d/x.conf']],
  ])('reloads first where %s', async (_case, shown) => {
    expect(await asked(shell, shown)).toEqual(['daemon-reload', ...start]);
  });

  it.each([
    ['failed', [...without('ActiveState'), 'ActiveState=failed']],
    ['was restarted', [...without('NRestarts'), 'NRestarts=3']],
    ['has run', [...without('InvocationID'), 'InvocationID=1fca3a5ab9a3447aa2d23ec0d23dbb84']],
  ])('forgets earlier failures where it %s', async (_case, shown) => {
    expect(await asked(shell, shown)).toEqual(['reset-failed etcd.service', ...start]);
  });

  it('does both where nothing is shown', async () => {
    expect(await asked(shell, [''])).toEqual(['daemon-reload', 'reset-failed etcd.service', ...start]);
  });
});
