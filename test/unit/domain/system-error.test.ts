import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { explained } from '../../../src/domain/system-error.ts';

const thrown = (run: () => Promise<unknown>): Promise<unknown> =>
  run().then(
    () => undefined,
    (error: unknown) => error,
  );

it('is what the file system refused, with its path, and how to go on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-system-'));
  await writeFile(join(folder, 'file'), '');
  const path = join(folder, 'file', 'below');
  const told = explained(await thrown(() => open(path, 'w')));
  expect(told).toMatchObject({
    ...{ code: 'step-failed', message: `${path}: a part of this path is no folder` },
    hint: expect.stringContaining('run the same command again'),
  });
  expect(await readdir(folder)).toEqual(['file']);
  await rm(folder, { recursive: true });
});

it('names the path that it is told where the call itself names none', async () => {
  const full = await open('/dev/full', 'w');
  const error = await thrown(() => full.writeFile('x'));
  await full.close();
  expect(explained(error, '/backup')).toMatchObject({ message: '/backup: no space left on the device' });
  expect(explained(error)).toMatchObject({ message: 'this machine: no space left on the device' });
});

it('leaves every other error as it is', async () => {
  const missing = await thrown(() => open('/nonexistent/file', 'r'));
  const own = new QuorateError('refused', 'no');
  for (const each of [missing, own, new Error('bug'), 'text', undefined]) expect(explained(each)).toBe(each);
});
