/** The tar stream of a stage: many small files, and perhaps one release tarball, in one pass and without temporary files. */
import type { Readable } from 'node:stream';
import type { StagedFile } from './fragment.ts';

/** A tar stream of `files`, all of mode 0600. */
export async function stageTar(files: readonly StagedFile[]): Promise<Readable> {
  const { packTar } = await import('modern-tar/fs');
  return packTar(
    files.map(({ name, content }) =>
      typeof content === 'string'
        ? { type: 'content', content, target: name, mode: 0o600 }
        : { type: 'stream', content: content.read(), size: content.sizeBytes, target: name, mode: 0o600 },
    ),
  );
}
