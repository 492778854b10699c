/** Finding the operator's age identity, and making one when that was asked for. Off a terminal none is ever made implicitly. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import { syncToDisk, writeNewFile } from '../files/replace.ts';

export interface IdentityRequest {
  /** `--identity FILE` */
  readonly file?: string | undefined;
  /** `--new-identity FILE`: make one there; refused where the file exists. */
  readonly newFile?: string | undefined;
  /** `pki.identityFile` of the inventory. */
  readonly policyFile?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Asks on a terminal; undefined off one. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined;
}

export interface Identity {
  /** Where it was found, for people: a path or the name of an environment variable. */
  readonly source: string;
  /** `AGE-SECRET-KEY-1…`; secret. */
  readonly keys: readonly string[];
  /** Whether this call made it. */
  readonly made: boolean;
}

type Source =
  | { readonly kind: 'text'; readonly name: string; readonly text: string }
  | { readonly kind: 'file'; readonly path: string; readonly implicit: boolean };

/**
 * The identity: `--new-identity`, else the first named of `--identity`, QUORATE_IDENTITY (its text), QUORATE_IDENTITY_FILE, the inventory's file, and
 * `$XDG_CONFIG_HOME/quorate/identity.txt`. A file that is named and missing is never passed over. On a terminal the last two are offered to be made.
 * Throws `refused` where there is none, its text is no identity, or others can read its file.
 */
export async function findIdentity(request: IdentityRequest): Promise<Identity> {
  if (request.newFile !== undefined) return makeIdentity(resolve(request.newFile));
  const source = sourceOf(request);
  if (source.kind === 'text')
    return { source: source.name, keys: parseIdentity(source.text, source.name), made: false };
  const text = await readIdentityFile(source.path);
  if (text !== undefined) return { source: source.path, keys: parseIdentity(text, source.path), made: false };
  const agreed = source.implicit && (await request.confirm?.(question(source.path)));
  if (agreed !== true) throw missing(source.path);
  return makeIdentity(source.path);
}

/** The secret lines of an identity file; comments and empty lines are skipped. Throws `refused` for anything else. */
export function parseIdentity(text: string, source: string): readonly string[] {
  if (/^(?:age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/.test(text.trimStart())) {
    const hint = 'decrypt it into QUORATE_IDENTITY: QUORATE_IDENTITY="$(age -d FILE)" quorate …';
    throw new QuorateError(
      'refused',
      `${source}: the identity is protected by a passphrase, which can't be asked for yet`,
      { hint },
    );
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0 || !keys.every((key) => /^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+$/.test(key))) {
    throw new QuorateError('refused', `${source}: not an age identity`, {
      hint: 'it must hold lines AGE-SECRET-KEY-1… as age-keygen or --new-identity FILE writes them; SSH keys are not supported',
    });
  }
  return keys;
}

function sourceOf({ file, policyFile, env, home }: IdentityRequest): Source {
  if (file !== undefined) return { kind: 'file', path: resolve(file), implicit: false };
  const text = env['QUORATE_IDENTITY'];
  if (text) return { kind: 'text', name: 'QUORATE_IDENTITY', text };
  const named = env['QUORATE_IDENTITY_FILE'];
  if (named) return { kind: 'file', path: resolve(named), implicit: false };
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  return { kind: 'file', path: policyFile ?? join(config, 'quorate', 'identity.txt'), implicit: true };
}

/** undefined where there is no such file. Pipes (`<(pass age)`) have no modes worth judging. */
async function readIdentityFile(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path);
    if (info.isFile() && (info.mode & 0o077) !== 0) throw tooOpen(path, info.mode);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    if (isSystemError(error, 'EACCES', 'EISDIR', 'ENOTDIR')) {
      throw new QuorateError('refused', `${path}: the age identity can't be read`, { cause: error });
    }
    throw error;
  }
}

async function makeIdentity(path: string): Promise<Identity> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const key = await generateX25519Identity();
  const recipient = await identityToRecipient(key);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeIdentityFile(path, `# age identity made by quorate\n# public key: ${recipient}\n${key}\n`);
  return { source: path, keys: [key], made: true };
}

async function writeIdentityFile(path: string, text: string): Promise<void> {
  try {
    await writeNewFile(path, text, 0o600);
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    throw new QuorateError('refused', `${path} exists already, and an identity is never overwritten`, {
      hint: `use it with --identity ${path}, or name another file`,
    });
  }
  await syncToDisk(dirname(path));
}

function question(path: string): string {
  return `There is no age identity yet. It encrypts the keys of your certificate authorities. Make one at ${path}?`;
}

function missing(path: string): QuorateError {
  return new QuorateError(
    'refused',
    `no age identity at ${path}: the keys of the certificate authorities are encrypted to it`,
    {
      hint: 'make one with --new-identity FILE, or name yours with --identity FILE, QUORATE_IDENTITY or QUORATE_IDENTITY_FILE',
    },
  );
}

function tooOpen(path: string, mode: number): QuorateError {
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return new QuorateError('refused', `${path}: permissions ${octal} are too open for an age identity`, {
    hint: `chmod 600 ${path}`,
  });
}
