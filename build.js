// Bundles src/ into dist/: one entry, code-split, so that a verb loads only what it needs.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { build } from 'esbuild';

/** What CommonJS packages take for granted. */
const banner =
  "import { createRequire as __createRequire } from 'node:module';import { fileURLToPath as __toPath } from 'node:url';const require = __createRequire(import.meta.url);const __filename = __toPath(import.meta.url);const __dirname = __toPath(new URL('.', import.meta.url));";

/** commander loads node:child_process, and net with it, for verbs that are programs of their own: here are none. */
const withoutPrograms = {
  name: 'without-programs',
  setup(bundle) {
    bundle.onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path, namespace: 'nothing' } : undefined,
    );
    bundle.onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
  },
};

await rm(new URL('dist/', import.meta.url), { recursive: true, force: true });
const { outputFiles } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['*.node', 'cpu-features'],
  sourcemap: false,
  legalComments: 'none',
  // Less text to parse at each start; names stay, and lines stay short enough for a stack to point somewhere.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 160,
  plugins: [withoutPrograms],
  banner: { js: banner },
  write: false,
});
// Few chunks need the banner, and each would pay for it at every start.
for (const { path, text } of outputFiles) {
  const own = text.replace(banner, '');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, /\b(require|__filename|__dirname)\b/.test(own) ? text : own);
}
