/** An authority elsewhere, as its people work: openssl on the operator's machine, with the commands and the extension files that quorate wrote. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { authorityExtensions, type Made, opensslMade } from '../unit/pki/openssl-authority.ts';
import type { Stage } from './stage.ts';

const run = promisify(execFile);

export const requestVerb = ['certs', 'ca', 'external', 'request', '--out', 'requests', '--yes'] as const;
export const installVerb = ['certs', 'ca', 'external', 'install', '--from', 'signed', '--yes'] as const;

/** What is altered of what openssl is told. */
export interface Signing {
  /** The extension file's text. */
  readonly change?: (text: string) => string;
  readonly days?: number;
}

/** The folders `requests` and `signed` of the operator. */
export interface OutsideDesk {
  /** A path in the operator's folder. */
  at(...names: readonly string[]): string;
  /** Names of the requests, without `.csr`, sorted. */
  names(): Promise<readonly string[]>;
  /** Signs requests (all of them) into `signed`. */
  sign(ca: Made, only?: readonly string[], signing?: Signing): Promise<void>;
  /** Writes a file into `signed`. */
  put(name: string, text: string): Promise<void>;
  /** Empties `signed`, then signs all and puts the bundle beside. */
  answer(ca: Made, root: Made, signing?: Signing): Promise<void>;
  openssl(...args: readonly string[]): Promise<string>;
}

export function outsideDesk(stage: Stage): OutsideDesk {
  const at = (...names: readonly string[]): string => join(stage.folder, ...names);
  const openssl = async (...args: readonly string[]): Promise<string> =>
    (await run('openssl', [...args], { cwd: stage.folder })).stdout;
  const names = async (): Promise<readonly string[]> =>
    (await readdir(at('requests')))
      .filter((each) => each.endsWith('.csr'))
      .map((each) => each.slice(0, -4))
      .sort();
  const sign: OutsideDesk['sign'] = async (ca, only, { change = asIs, days = 90 } = {}) => {
    await mkdir(at('signed'), { recursive: true });
    await writeFile(at('ca.crt'), ca.certificate);
    await writeFile(at('ca.key'), ca.key, { mode: 0o600 });
    for (const name of only ?? (await names())) {
      await writeFile(at('one.ext'), change(await readFile(at('requests', `${name}.ext`), 'utf8')));
      const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', `${days}`];
      const files = ['-in', `requests/${name}.csr`, '-out', `signed/${name}.pem`, '-extfile', 'one.ext'];
      await openssl('x509', '-req', ...signer, ...files);
    }
  };
  const put: OutsideDesk['put'] = (name, text) => writeFile(at('signed', name), text);
  const answer: OutsideDesk['answer'] = async (ca, root, signing) => {
    await rm(at('signed'), { recursive: true, force: true });
    await sign(ca, undefined, signing);
    await put('bundle.pem', ca.certificate + root.certificate);
  };
  return { at, names, sign, put, answer, openssl };
}

/** One that may not have another authority below it. */
export function intermediate(root: Made, name: string): Made {
  const extensions = authorityExtensions.map((each) => each.replace('CA:TRUE', 'CA:TRUE,pathlen:0'));
  return opensslMade({ subject: `/O=Corp/CN=${name}`, issuer: root, extensions });
}

function asIs(text: string): string {
  return text;
}
