/** etcd releases built with the Go toolchain from the module proxy (docs: etcd-operations, section 12). */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram, tryProgram } from './program.ts';
import { packRelease, releaseName } from './release-pack.ts';
import type { ReleaseSource } from './release-source.ts';

/** The programs of a release and the modules that hold them, under these names since etcd 3.5. */
const programs = {
  etcd: 'go.etcd.io/etcd/server/v3',
  etcdctl: 'go.etcd.io/etcd/etcdctl/v3',
  etcdutl: 'go.etcd.io/etcd/etcdutl/v3',
} as const;

/** A scratch module that requires etcd's: `go install` refuses modules with replace directives, this does not. */
export const goSource: ReleaseSource = {
  name: 'built with go',
  refuse: async (version) => {
    if (/^3\.[0-4]\./.test(version)) return 'etcd before 3.5 is not laid out as modules that go can fetch';
    return (await goVersion()) === undefined ? 'go is not installed' : undefined;
  },
  make: async (version, folder, { say, signal }) => {
    say(`etcd ${version}: building with ${await goVersion()} (20 to 60 s)`);
    const work = join(folder, 'go');
    const out = join(folder, releaseName(version));
    await mkdir(work);
    await mkdir(out);
    const options = { cwd: work, signal, timeoutMs: 1_200_000, env: { CGO_ENABLED: '0' } };
    const modules = Object.values(programs);
    await runProgram(['go', 'mod', 'init', 'scratch'], options);
    await runProgram(['go', 'get', ...modules.map((module) => `${module}@v${version}`)], options);
    for (const [name, module] of Object.entries(programs)) {
      const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', join(out, name)];
      await runProgram(['go', 'build', ...flags, module], options);
    }
    await rm(work, { recursive: true });
    await packRelease(version, folder);
    await rm(out, { recursive: true });
    return `built with ${await goVersion()}`;
  },
};

async function goVersion(): Promise<string | undefined> {
  const said = await tryProgram(['go', 'env', 'GOVERSION']).catch(() => undefined);
  return said?.status === 0 ? said.stdout.trim() : undefined;
}
