/** Gets the tools that quorate is compared with: ansible-core from Debian, pyinfra from PyPI into a folder of its own. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../src/lab/cache.ts';
import { runProgram, tryProgram } from '../../src/lab/program.ts';
import type { Say } from '../../src/lab/say.ts';

export interface Tools {
  readonly ansiblePlaybook: string;
  readonly pyinfra: string;
  /** For the report. */
  readonly versions: Readonly<Record<'ansible-core' | 'pyinfra', string>>;
}

/** The version that the limits were set against; another may be faster or slower. */
const PYINFRA = 'pyinfra==3.10.0';

/** Installs what is missing, saying so. */
export async function ensureTools(say: Say): Promise<Tools> {
  const packages = [
    ...((await exists('/usr/bin/ansible-playbook')) ? [] : ['ansible-core']),
    ...((await hasVenv()) ? [] : ['python3-venv']),
  ];
  if (packages.length > 0) await installDebian(packages, say);
  const folder = join(cacheFolder(), 'bench', 'pyinfra');
  const pyinfra = join(folder, 'bin', 'pyinfra');
  if (!(await exists(pyinfra))) {
    say(`installing ${PYINFRA} from PyPI into ${folder}`);
    await runProgram(['python3', '-m', 'venv', folder]);
    await runProgram([join(folder, 'bin', 'pip'), 'install', '--quiet', PYINFRA], { timeoutMs: 600_000 });
  }
  const ansible = await runProgram(['/usr/bin/ansible-playbook', '--version']);
  const versions = {
    'ansible-core': /core ([\d.]+)/.exec(ansible)?.[1] ?? 'unknown',
    pyinfra: /v([\d.]+)/.exec(await runProgram([pyinfra, '--version']))?.[1] ?? 'unknown',
  };
  return { ansiblePlaybook: '/usr/bin/ansible-playbook', pyinfra, versions };
}

async function installDebian(packages: readonly string[], say: Say): Promise<void> {
  say(`installing Debian packages: ${packages.join(' ')}`);
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  if ((await tryProgram(install, options)).status === 0) return;
  await runProgram(['apt-get', 'update'], options);
  await runProgram(install, options);
}

async function hasVenv(): Promise<boolean> {
  return (await tryProgram(['python3', '-c', 'import ensurepip'])).status === 0;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
