import { describe, expect, it } from 'vitest';
import { decideTerminal, readTerminal, type TerminalFacts, type UiFlags } from '../../../src/ui/terminal.ts';

const flags: UiFlags = { json: false, quiet: false, verbose: false, noColor: false, noInput: false };
const tty: TerminalFacts = {
  stdinIsTty: true,
  stdoutIsTty: true,
  stderrIsTty: true,
  columns: 120,
  env: { TERM: 'xterm-256color' },
};
const withEnv = (env: TerminalFacts['env']) => decideTerminal({ ...tty, env: { ...tty.env, ...env } }, flags);

describe('decideTerminal', () => {
  it('draws live on a terminal, also when stdout goes elsewhere', () => {
    expect(decideTerminal(tty, flags)).toMatchObject({ mode: 'live', width: 120, interactive: true });
    expect(decideTerminal({ ...tty, stdoutIsTty: false }, flags)).toMatchObject({
      mode: 'live',
      color: { stdout: false, stderr: true },
      width: Number.POSITIVE_INFINITY,
      stderrWidth: 120,
    });
  });

  it.each([
    ['stderr is no terminal', { stderrIsTty: false }],
    ['39 columns', { columns: 39 }],
    ['0 columns', { columns: 0 }],
    ['unknown columns', { columns: undefined }],
    ['TERM=dumb', { env: { TERM: 'dumb' } }],
    ['CI', { env: { TERM: 'xterm', CI: 'true' } }],
  ])('writes plain lines where: %s', (_, facts) => {
    expect(decideTerminal({ ...tty, ...facts }, flags).mode).toBe('plain');
  });

  it('takes 80 columns for a terminal that does not tell, and none for a file', () => {
    expect(decideTerminal({ ...tty, columns: 0 }, flags).width).toBe(80);
    expect(decideTerminal({ ...tty, stdoutIsTty: false, columns: 0 }, flags).width).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not take CI=false or CI= for a CI service', () => {
    for (const CI of ['false', '0', '']) expect(withEnv({ CI }).mode).toBe('live');
  });

  it('prefers --json to --quiet and both to the terminal', () => {
    expect(decideTerminal(tty, { ...flags, json: true, quiet: true }).mode).toBe('json');
    expect(decideTerminal(tty, { ...flags, quiet: true }).mode).toBe('quiet');
  });

  it('colours as --no-color, FORCE_COLOR, NO_COLOR and the stream say, in this order', () => {
    const off = { stdout: false, stderr: false };
    const on = { stdout: true, stderr: true };
    expect(decideTerminal({ ...tty, env: { FORCE_COLOR: '1' } }, { ...flags, noColor: true }).color).toEqual(off);
    expect(withEnv({ FORCE_COLOR: '1', NO_COLOR: '1' }).color).toEqual(on);
    expect(withEnv({ FORCE_COLOR: '0' }).color).toEqual(off);
    expect(withEnv({ NO_COLOR: '1' }).color).toEqual(off);
    expect(withEnv({ NO_COLOR: '' }).color).toEqual(on);
    expect(withEnv({ TERM: 'dumb' }).color).toEqual(off);
    expect(withEnv({ CI: 'true' }).color).toEqual(on);
  });

  it('asks only where somebody can see and answer', () => {
    const asks = (facts: Partial<TerminalFacts>, more: Partial<UiFlags> = {}) =>
      decideTerminal({ ...tty, ...facts }, { ...flags, ...more }).interactive;
    expect(asks({})).toBe(true);
    expect(asks({ stdoutIsTty: false })).toBe(true);
    expect(asks({ columns: 20 })).toBe(true);
    expect(asks({ stdinIsTty: false })).toBe(false);
    expect(asks({ stderrIsTty: false })).toBe(false);
    expect(asks({ env: { CI: '1' } })).toBe(false);
    expect(asks({ env: { TERM: 'dumb' } })).toBe(false);
    expect(asks({}, { noInput: true })).toBe(false);
  });
});

describe('readTerminal', () => {
  it('takes the width of stderr where stdout is no terminal', () => {
    const streams = { stdin: {}, stdout: { columns: 7 }, stderr: { isTTY: true, columns: 99 } };
    expect(readTerminal(streams, {})).toEqual({
      stdinIsTty: false,
      stdoutIsTty: false,
      stderrIsTty: true,
      columns: 99,
      env: {},
    });
  });
});
