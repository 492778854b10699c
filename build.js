// Bundles src/ into dist/: one entry, code-split, so that a verb loads only what it needs.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What CommonJS packages take for granted; `node:module` is loaded only for what is no part of Node. */
const banner =
  "const require = (id) => process.getBuiltinModule(id) ?? process.getBuiltinModule('node:module').createRequire(import.meta.url)(id);const __filename = import.meta.filename;const __dirname = import.meta.dirname;";

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

/** yaml as modules, of which only what is used is bundled: what it says of itself is for Node is one CommonJS whole. */
const yamlByModules = {
  name: 'yaml-by-modules',
  setup(bundle) {
    bundle.onResolve({ filter: /^yaml$/ }, () => ({
      path: fileURLToPath(new URL('node_modules/yaml/browser/dist/index.js', import.meta.url)),
    }));
  },
};

/** ssh2's compiled ciphers, where its installation could build them: without them each packet pays for a cipher of its own in JavaScript. */
const compiledCiphers = {
  name: 'compiled-ciphers',
  setup(bundle) {
    bundle.onResolve({ filter: /[/]sshcrypto[.]node$/ }, () => ({
      path: 'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node',
      external: true,
    }));
  },
};

/** Calls to etcd make Headers, and Node's own come with all of fetch (30 ms). */
const ownHeaders = {
  name: 'own-headers',
  setup(bundle) {
    const own = fileURLToPath(new URL('src/etcd/headers.ts', import.meta.url));
    bundle.onLoad({ filter: /[\\/]@connectrpc[\\/].*[\\/]esm[\\/].*[.]js$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      return {
        contents: /\bHeaders\b/.test(contents)
          ? `import { Headers } from ${JSON.stringify(own)};${contents}`
          : contents,
      };
    });
  },
};

/** What runs without a host, and must start at once: nothing else is loaded for it. The context is loaded before all, and is behind every entry. */
const offline =
  /[\\/](?:ui[\\/][^\\/]+|main[\\/](?:context|inventory)|commands[\\/](?:init|validate|render|env|lab|demo))[.]ts$/;

/**
 * A chunk is a file to find, read and link, and modules share one where the same entries reach them. The context is loaded before any
 * verb, and the session with hosts for nearly all of them: with every such entry reaching it, all that is behind it is one chunk.
 */
const shared = {
  name: 'shared',
  setup(bundle) {
    const source = (path) => JSON.stringify(fileURLToPath(new URL(`src/main/${path}`, import.meta.url)));
    bundle.onResolve({ filter: /^[.].*[.]ts$/ }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' ? { path: join(resolveDir, path), namespace: 'entry' } : undefined,
    );
    bundle.onLoad({ filter: /./, namespace: 'entry' }, ({ path }) => {
      const common = [source('context.ts'), ...(offline.test(path) ? [] : [source('session.ts')])];
      const imports = common.map((each) => `import ${each};`).join('');
      return { contents: `${imports}export * from ${JSON.stringify(path)};`, resolveDir: dirname(path) };
    });
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
  define: { 'globalThis.Headers': 'Headers' },
  plugins: [withoutPrograms, yamlByModules, compiledCiphers, ownHeaders, shared],
  banner: { js: banner },
  write: false,
});
// Few chunks need the banner, and each would pay for it at every start.
for (const { path, text } of outputFiles) {
  const own = text.replace(banner, '');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, /\b(require|__filename|__dirname)\b/.test(own) ? text : own);
}
