import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasTmux, openScreen, type Screen } from './screen.ts';

const root = mkdtempSync(join(tmpdir(), 'quorate-ui-'));
const logs = join(root, 'logs');
const program = join(root, 'ui-fixture.mjs');
let screen: Screen | undefined;

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('./ui-fixture.ts', import.meta.url))],
    outdir: root,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
});
afterEach(() => {
  screen?.close();
  screen = undefined;
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Start {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly before?: string;
}

function start(words: string, { columns = 120, env = {}, before = ':' }: Start = {}): Screen {
  const command = `${before}; node ${program} ${words}`;
  screen = openScreen({ columns, env: { LOG_DIRECTORY: logs, ...env }, command });
  return screen;
}

const plain = [
  'bootstrap prod',
  'Prepare the hosts (etcd-1, etcd-2, etcd-3)',
  '[etcd-1] put etcd 3.6.14 in place (280 ms)',
  '[etcd-2] put etcd 3.6.14 in place (280 ms)',
];

describe.skipIf(!hasTmux)('on a terminal (needs tmux)', () => {
  it('draws a line for each host, then one for each stage, and leaves the cursor shown', async () => {
    const { until, cursorShown, coloured } = start('run', { env: { STEP_MS: '1500' } });
    expect(await until(/etcd-3 .*\(0\/2\)/)).toBe(
      [
        'bootstrap prod',
        '❯ Prepare the hosts',
        '  * etcd-1  put etcd 3.6.14 in place  (0/2)',
        '  * etcd-2  put etcd 3.6.14 in place  (0/2)',
        '  * etcd-3  put etcd 3.6.14 in place  (0/2)',
      ].join('\n'),
    );
    expect(cursorShown()).toBe(false);
    expect(await until(/exit/)).toBe(
      [
        'bootstrap prod',
        '✔ Prepare the hosts  (3 hosts, 300 ms)',
        'a stray line',
        '✔ Start all members  (3 hosts, 310 ms)',
        '',
        '› etcd-2: password <redacted> ␛[2Jaccepted',
        'done (700 ms)',
        'MEMBER  STATE',
        'etcd-1  healthy',
        'etcd-2  healthy',
        'etcd-3  healthy',
        'exit 0',
      ].join('\n'),
    );
    expect(cursorShown()).toBe(true);
    expect(coloured()).toContain('\u001b[32m✔');
  });

  it('keeps the names of failed hosts, and ends with the error, its hint and the log', async () => {
    const seen = await start('fail').until(/exit/);
    expect(
      seen
        .replace(/log: .*/, 'log: FILE')
        .split('\n')
        .slice(3),
    ).toEqual([
      '✖ Start all members  (3 hosts, 310 ms)',
      '  ✖ etcd-1  start etcd.service: port 2380 is taken by process 812 (nginx)  (310 ms)',
      '  ✔ etcd-2  done  (300 ms)',
      '  ✔ etcd-3  done  (300 ms)',
      '',
      '› etcd-2: password <redacted> ␛[2Jaccepted',
      'failed (700 ms)',
      'error: etcd-1: port 2380 is taken',
      'hint: stop what holds it and run again',
      'log: FILE',
      'exit 14',
    ]);
    const [name = ''] = readdirSync(logs).filter((each) => each.endsWith('-fail.ndjson'));
    const log = readFileSync(join(logs, name), 'utf8');
    expect(log).not.toContain('hunter2');
    expect(
      log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .at(-1),
    ).toMatchObject({ event: 'error', error: { exitStatus: 14 } });
  });

  it('fits into 40 columns', async () => {
    const seen = await start('fail', { columns: 40 }).until(/exit/);
    expect(seen).toContain('✖ Start all members  (3 hosts, 310 ms)\n  ✖ etcd-1  start etcd.serv…  (310 ms)\n');
    expect(seen).toContain('› etcd-2: password <redacted>\n  ␛[2Jaccepted\n');
  });

  it.each([
    ['39 columns', { columns: 39 }],
    ['0 columns', { before: 'stty cols 0' }],
    ['TERM=dumb', { env: { TERM: 'dumb' } }],
    ['CI=true', { env: { CI: 'true' } }],
  ])('writes plain lines with %s', async (_, options: Start) => {
    const { until, cursorShown } = start('run', options);
    const seen = await until(/exit/);
    const lines = seen.split('\n');
    if (options.columns === undefined) expect(lines.slice(0, plain.length)).toEqual(plain);
    else expect(lines.join('').replaceAll(' ', '')).toContain('[etcd-1]putetcd3.6.14inplace(280ms)');
    expect(seen).not.toMatch(/[✔❯]/);
    expect(cursorShown()).toBe(true);
  });

  it.each([
    ['NO_COLOR', 'run', { env: { NO_COLOR: '1' } }],
    ['--no-color', 'run --no-color', {}],
  ])('writes no colours with %s', async (_, words, options: Start) => {
    const { until, coloured } = start(words, options);
    expect(await until(/exit/)).toContain('✔ Start all members');
    expect(coloured()).not.toContain('\u001b[');
  });

  it('draws on stderr when stdout goes elsewhere, and stdout carries the result alone', async () => {
    const file = join(root, 'result.json');
    const seen = await start(`run > ${file}`).until(/exit/);
    expect(seen).toContain('✔ Start all members  (3 hosts, 310 ms)');
    expect(readFileSync(file, 'utf8')).toBe('MEMBER  STATE\netcd-1  healthy\netcd-2  healthy\netcd-3  healthy\n');
    screen?.close();
    await start(`run --json > ${file}`).until(/exit 0/);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ members: ['etcd-1', 'etcd-2', 'etcd-3'] });
  });

  it('stops after the current step at the first Ctrl-C', async () => {
    const { until, type, cursorShown } = start('run', { env: { STEP_MS: '3000' } });
    await until(/\* etcd-1 {2}start/);
    type('C-c');
    const seen = await until(/exit/);
    expect(seen).toContain('✖ etcd-3  start etcd.service: interrupted');
    expect(seen).toContain('› stopping after the current step; Ctrl-C again to stop at once');
    expect(seen).toContain('error: stopped after the current step\nhint: run the same command again to go on');
    expect(seen).toContain('exit 130');
    expect(cursorShown()).toBe(true);
  });

  it('gives the terminal back at once at the second', async () => {
    const { until, type, cursorShown } = start('run', { env: { STEP_MS: '30000' } });
    await until(/\* etcd-1/);
    type('C-c');
    await until(/› stopping/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    type('C-c');
    const seen = await until(/exit/);
    expect(seen).toMatch(/✖ Prepare the hosts {2}\(3 hosts, interrupted\)\n {2}✖ etcd-1 {2}put etcd/);
    expect(seen).toContain('exit 130');
    expect(cursorShown()).toBe(true);
  });

  it('asks for the word to be typed', async () => {
    const { until, type } = start('confirm');
    await until(/This destroys the cluster\. Type prod to go on:/);
    type('prod', 'Enter');
    expect(await until(/exit/)).toContain('confirmed\nexit 0');
  });

  it('takes any other answer for no, and Ctrl-C for an interruption', async () => {
    const declined = start('confirm');
    await declined.until(/Type prod/);
    declined.type('yes', 'Enter');
    expect(await declined.until(/exit/)).toContain('declined\nexit 0');
    declined.close();
    const interrupted = start('confirm');
    await interrupted.until(/Type prod/);
    interrupted.type('C-c');
    expect(await interrupted.until(/exit/)).toMatch(
      /error: interrupted while asking; nothing was changed\n.*exit 130/s,
    );
    expect(interrupted.cursorShown()).toBe(true);
  });

  it('does not show a secret, neither when typed nor when printed', async () => {
    const { until, type } = start('secret', { columns: 40 });
    await until(/sudo password for etcd-1/);
    type('abcdefgh');
    expect(await until(/▪{8}/)).not.toContain('abc');
    type('Enter');
    expect(await until(/exit/)).toContain('length 8, value <redacted>');
  });

  it.each([
    ['--no-input', 'confirm --no-input', {}],
    ['CI', 'confirm', { env: { CI: 'true' } }],
    ['stdin elsewhere', 'confirm < /dev/null', {}],
  ])('does not ask with %s but names the flag', async (_, words, options: Start) => {
    expect(await start(words, options).until(/exit/)).toBe(
      [
        'error: a question cannot be asked here',
        'hint: give --yes-destroy prod, or run this on a terminal without --no-input',
        'exit 10',
      ].join('\n'),
    );
  });
});
