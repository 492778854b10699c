/** The import table, judged by dependency-cruiser with the rules of .dependency-cruiser.cjs, and what it cannot see. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = new URL('../../../', import.meta.url).pathname;
const rules = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs');
const { forbidden, options } = rules;

async function judge(baseDir: string): Promise<ICruiseResult> {
  const { output } = await cruise(['src'], {
    ...options,
    ...(baseDir === root ? {} : { tsConfig: undefined }),
    baseDir,
    validate: true,
    ruleSet: { forbidden },
  });
  if (typeof output === 'string') throw new Error('expected a result, not a report');
  return output;
}

function violationsIn(result: ICruiseResult): readonly string[] {
  return result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort();
}

/** Rules that are broken by these files alone. */
async function brokenBy(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-imports-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return violationsIn(await judge(folder));
}

describe('the modules of src', () => {
  it('keep to the import table, without cycles', async () => {
    const result = await judge(root);
    expect(violationsIn(result)).toEqual([]);
    expect(result.summary.totalCruised).toBeGreaterThan(100);
    const own = result.modules.filter((each) => each.source.startsWith('src/'));
    expect(own.length).toBeGreaterThan(100);
  });

  it('all lie in a folder that the table knows, or are main.ts', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((each) =>
      each.isDirectory() ? [each.name] : [],
    );
    const known = forbidden.flatMap(({ name }: { name: string }) => /^(.*)-sees-only$/.exec(name)?.[1] ?? []);
    expect(folders.filter((each) => each !== 'main').sort()).toEqual([...known].sort());
  });
});

describe('the rules notice', () => {
  const broken: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    [
      'domain-sees-only: src/domain/a.ts → src/plan/b.ts',
      { 'src/domain/a.ts': "import '../plan/b.ts';", 'src/plan/b.ts': '' },
    ],
    [
      'commands-sees-only: src/commands/a.ts → src/apply/b.ts',
      { 'src/commands/a.ts': "import '../apply/b.ts';", 'src/apply/b.ts': '' },
    ],
    [
      'commands-sees-only: src/commands/a.ts → src/ui/b.ts',
      { 'src/commands/a.ts': "export const b = () => import('../ui/b.ts');", 'src/ui/b.ts': '' },
    ],
    [
      'ui-sees-only: src/ui/a.ts → src/plan/b.ts',
      {
        'src/ui/a.ts': "import type { B } from '../plan/b.ts';\nexport type A = B;",
        'src/plan/b.ts': 'export type B = 1;',
      },
    ],
    [
      'transport-sees-only: src/transport/a.ts → src/etcd/b.ts',
      { 'src/transport/a.ts': "import '../etcd/b.ts';", 'src/etcd/b.ts': '' },
    ],
    [
      'sees-pure-pki: src/plan/a.ts → src/pki/file-store.ts',
      { 'src/plan/a.ts': "import '../pki/file-store.ts';", 'src/pki/file-store.ts': '' },
    ],
    [
      'nothing-sees-main: src/apply/a.ts → src/main/b.ts',
      { 'src/apply/a.ts': "import '../main/b.ts';", 'src/main/b.ts': '' },
    ],
    ['pure: src/plan/a.ts → fs', { 'src/plan/a.ts': "import 'node:fs';" }],
    ['pure: src/pki/issue.ts → child_process', { 'src/pki/issue.ts': "import 'node:child_process';" }],
    [
      'no-cycles: src/domain/a.ts → src/domain/b.ts',
      { 'src/domain/a.ts': "import './b.ts';", 'src/domain/b.ts': "import './a.ts';" },
    ],
    ['resolvable: src/domain/a.ts → ./gone.ts', { 'src/domain/a.ts': "import './gone.ts';" }],
  ];

  it.each(broken)('%s', async (violation, files) => {
    expect(await brokenBy(files)).toContain(violation);
  });
});

describe('pure modules', () => {
  const { path, pathNot } = forbidden.find((each: { name: string }) => each.name === 'pure').from;
  const pure = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((each) => `src/${each}`)
    .filter((each) => each.endsWith('.ts') && new RegExp(path).test(each) && !pathNot.includes(each));

  it('are many', () => expect(pure.length).toBeGreaterThan(80));

  it.each([
    ['Date.now()', true],
    ['now: Date.now,', true],
    ['new Date()', true],
    ['new Date', true],
    ['Math.random()', true],
    ['crypto.randomBytes(16)', true],
    ['process.env.HOME', true],
    ['setTimeout(f, 1)', true],
    ['new Date(now).toISOString()', false],
    ['Date.parse(text)', false],
    ['the process ends', false],
  ])('would be found with %s: %s', (text, found) => expect(impurity.test(text)).toBe(found));

  it('have neither clock nor chance nor the process', () => {
    const impure = pure.flatMap((file) =>
      withoutComments(readFileSync(join(root, file), 'utf8'))
        .split('\n')
        .flatMap((line) => (impurity.test(line) ? [`${file}: ${line.trim()}`] : [])),
    );
    expect(impure).toEqual([]);
  });
});

const impurity =
  /\bDate\.now\b|\bnew Date(\(\s*\)|(?!\s*\())|\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b|\bprocess\.(env|argv|cwd|pid|platform|arch|std(in|out|err)|exit|exitCode|kill|on|hrtime|getuid|nextTick|umask|memoryUsage)\b|\bset(Timeout|Interval|Immediate)\s*\(|\bperformance\.now\b/;

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
