/** What `--help` says, and what is said of words that are not understood. */
import { describe, expect, it } from 'vitest';
import { commands, exitCodes } from '../../src/commands/index.ts';
import { type ErrorCode, exitStatus, QuorateError } from '../../src/domain/errors.ts';
import { quorate } from './quorate.ts';

const codes = {
  usage: true,
  inventory: true,
  unreachable: true,
  untrusted: true,
  refused: true,
  'step-failed': true,
  'stale-plan': true,
  locked: true,
  interrupted: true,
} as const satisfies Record<ErrorCode, true>;

describe('quorate --help', () => {
  it('lists verbs and exit codes', async () => {
    const { status, stdout, stderr } = await quorate(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    await expect(stdout).toMatchFileSnapshot('help/quorate.txt');
  });

  it('lists every exit status that an error can have, and no other', () => {
    const possible = Object.keys(codes).map((code) => exitStatus(new QuorateError(codeOf(code), 'x')));
    const outcomes = [0, exitStatus(new Error('a bug')), 2, 3];
    expect(exitCodes.map(([code]) => code).sort()).toEqual([...new Set([...possible, ...outcomes])].sort());
  });

  it.each(commands.map((each) => [each.name, each] as const))(
    'of %s: one line, options, exit codes, an example',
    async (name, entry) => {
      const { status, stdout, stderr } = await quorate([...name.split(' '), '--help']);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`Usage: quorate ${name} [options]`);
      for (const { flags } of entry.options) expect(stdout).toContain(`  ${flags}`);
      expect(stdout).toContain(`Example:\n  ${entry.example}`);
      expect(stdout).toContain('Exit codes:');
      expect(entry.summary).not.toMatch(/\n|\.$/);
      await expect(stdout).toMatchFileSnapshot(`help/${name.replaceAll(' ', '-')}.txt`);
    },
  );

  it('tells the version', async () => {
    expect(await quorate(['--version'])).toMatchObject({ status: 0, stdout: '0.1.0\n' });
  });
});

describe('words that are not understood', () => {
  it.each([
    [['bootstap'], "error: unknown command 'bootstap'\nhint: (Did you mean bootstrap?)\n"],
    [['bootstrap', '--yess'], "error: unknown option '--yess'\nhint: (Did you mean --yes?)\n"],
    [['lab', 'upp'], "error: unknown command 'upp'\nhint: (Did you mean up?)\n"],
    [
      ['plan', '--out'],
      "error: option '--out <file>' argument missing\nhint: quorate --help lists the verbs and their options\n",
    ],
  ])('%j: exit 10 and a hint', async (words, told) => {
    expect(await quorate(words)).toEqual({ status: 10, stdout: '', stderr: told });
  });

  it('no verb at all: exit 10', async () => {
    const { status, stdout, stderr } = await quorate([]);
    expect([status, stdout]).toEqual([10, '']);
    expect(stderr).toContain('error: no verb was given');
  });

  it('are told in JSON where JSON was asked for', async () => {
    const { status, stdout, stderr } = await quorate(['plan', '--json', '--yess']);
    expect([status, stderr]).toEqual([10, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'usage', message: "unknown option '--yess'", exitStatus: 10 },
    });
  });
});

function codeOf(text: string): ErrorCode {
  const found = Object.keys(codes).find((each): each is ErrorCode => each === text);
  if (found === undefined) throw new Error(text);
  return found;
}
