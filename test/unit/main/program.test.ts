import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { commands, exitCodes, groups } from '../../../src/commands/index.ts';
import { parseArguments } from '../../../src/main/program.ts';

const names = commands.map((each) => each.name);

/** What the command line prints for these arguments, white space folded. */
async function printed(...argv: readonly string[]): Promise<string> {
  let text = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    expect(await parseArguments(argv)).toBeUndefined();
  } finally {
    write.mockRestore();
  }
  return text.replaceAll(/\s+/g, ' ');
}

afterEach(() => vi.restoreAllMocks());

describe('the help of a verb', () => {
  it.each(commands)('says in one line what $name does, with options, an example and exit codes', async (entry) => {
    const help = await printed(...entry.name.split(' '), '--help');
    expect(entry.summary).toMatch(/^[^\nA-Z][^\n]{0,119}[^.\n]$/);
    expect(help).toContain(entry.summary.replaceAll(/\s+/g, ' '));
    for (const { flags } of entry.options) expect(help).toContain(flags);
    expect(help).toContain(`Example: ${entry.example}`);
    for (const [code, text] of exitCodes) expect(help).toContain(`${code} ${text}`);
  });

  it.each(names)('is the same by quorate help %s', async (name) => {
    expect(await printed('help', ...name.split(' '))).toBe(await printed(...name.split(' '), '--help'));
  });

  it.each(commands)('shows an example of $name that the command line takes', async ({ name, example }) => {
    const line = /quorate ([^)"]*)/.exec(example)?.[1] ?? '';
    expect((await parseArguments(line.trim().split(' ')))?.verb).toBe(name);
  });

  it('is refused for a verb that there is not', async () => {
    await expect(parseArguments(['help', 'nope'])).rejects.toThrow('there is no verb nope');
  });

  it('of all verbs tells each group and verb', async () => {
    const help = await printed('help');
    for (const name of names) expect(help).toContain(` ${name.split(' ')[0]} `);
    expect(help).toBe(await printed('--help'));
    for (const group of Object.keys(groups)) expect(names.some((name) => name.startsWith(`${group} `))).toBe(true);
  });
});

it('the README tells every verb, and no other', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const table = readme.slice(readme.indexOf('## Verbs'), readme.indexOf('Exit codes:'));
  const told = [...table.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, cell = '']) => {
    const words = cell.split(' ').filter((each) => /^[a-z][a-z-]*(?:\\?\|[a-z-]+)*$/.test(each));
    return words.reduce<string[]>(
      (all, word) => all.flatMap((each) => word.split(/\\?\|/).map((one) => `${each} ${one}`.trim())),
      [''],
    );
  });
  expect(told.sort()).toEqual([...names].sort());
});
