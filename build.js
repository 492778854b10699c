// Bundles src/ into dist/: one entry, code-split, so that a verb loads only what it needs.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

await rm(new URL('dist/', import.meta.url), { recursive: true, force: true });
await build({
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
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';import { fileURLToPath as __toPath } from 'node:url';const require = __createRequire(import.meta.url);const __filename = __toPath(import.meta.url);const __dirname = __toPath(new URL('.', import.meta.url));",
  },
});
