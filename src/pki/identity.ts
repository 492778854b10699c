/** Finding the operator's age identity, and making one when that was asked for. Off a terminal none is ever made implicitly. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import { syncToDisk, writeNewFile } from '../files/replace.ts';
import { isSealed, unsealIdentity } from './passphrase.ts';

export interface IdentityRequest {
  /** `--identity FILE` */
  readonly file?: string | undefined;
  /** `--new-identity FILE`: make one there; refused where the file exists. */
  readonly newFile?: string | undefined;
  /** The identity that the state directory itself holds, protected by a passphrase. */
  readonly stored?: { readonly source: string; readonly bytes: Uint8Array } | undefined;
  /** `pki.identityFile` of the inventory. */
  readonly policyFile?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Asks on a terminal; undefined off one. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined;
  /** Asks for a passphrase on a terminal; undefined off one, where only QUORATE_PASSPHRASE is left. */
  readonly askPassphrase?: ((question: string) => Promise<string>) | undefined;
}

export interface Identity {
  /** Where it was found, for people: a path or the name of an environment variable. */
  readonly source: string;
  /** `AGE-SECRET-KEY-1…`; secret. */
  readonly keys: readonly string[];
  /** Whether this call made it. */
  readonly made: boolean;
  /** Whether the state directory holds it: then a passphrase is all that can be lost. */
  readonly stored: boolean;
}

type Source =
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array; readonly stored: boolean }
  | { readonly kind: 'file'; readonly path: string; readonly implicit: boolean };

/**
 * The identity: `--new-identity`, else the first named of `--identity`, QUORATE_IDENTITY (its text), QUORATE_IDENTITY_FILE, the state directory's own, the
 * inventory's file, and `$XDG_CONFIG_HOME/quorate/identity.txt`. A file that is named and missing is never passed over. On a terminal the last two are
 * offered to be made. One that is protected by a passphrase is opened with QUORATE_PASSPHRASE, or with what is typed. Throws `refused` where there is
 * none, its text is no identity, the passphrase is wrong, or others can read its file.
 */
export async function findIdentity(request: IdentityRequest): Promise<Identity> {
  if (request.newFile !== undefined) return makeIdentity(resolve(request.newFile));
  const source = sourceOf(request);
  if (source.kind === 'bytes') {
    const { name, bytes, stored } = source;
    return { source: name, keys: await keysOf(bytes, name, request), made: false, stored };
  }
  const bytes = await readIdentityFile(source.path);
  if (bytes !== undefined) {
    return { source: source.path, keys: await keysOf(bytes, source.path, request), made: false, stored: false };
  }
  const agreed = source.implicit && (await request.confirm?.(question(source.path)));
  if (agreed !== true) throw missing(source.path);
  return makeIdentity(source.path);
}

/** QUORATE_PASSPHRASE, or what is typed. Throws `refused` where there is neither; `source` is what it opens. */
async function passphraseFor(source: string, { env, askPassphrase }: IdentityRequest): Promise<string> {
  const told = env['QUORATE_PASSPHRASE'];
  if (told) return told;
  if (askPassphrase !== undefined) return askPassphrase(`Passphrase of ${source}`);
  throw new QuorateError(
    'refused',
    `${source}: the identity is protected by a passphrase, and nobody can be asked here`,
    {
      hint: 'give it in QUORATE_PASSPHRASE, or another identity with --identity FILE or QUORATE_IDENTITY',
    },
  );
}

async function keysOf(bytes: Uint8Array, source: string, request: IdentityRequest): Promise<readonly string[]> {
  if (!isSealed(bytes)) return parseIdentity(Buffer.from(bytes).toString('utf8'), source);
  const passphrase = await passphraseFor(source, request);
  return parseIdentity(await unsealIdentity(bytes, passphrase, source), source);
}

/** The secret lines of an identity file; comments and empty lines are skipped. Throws `refused` for anything else. */
export function parseIdentity(text: string, source: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0 || !keys.every((key) => /^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+$/.test(key))) {
    throw new QuorateError('refused', `${source}: not an age identity`, {
      hint: 'it must hold lines AGE-SECRET-KEY-1… as age-keygen or --new-identity FILE writes them; the age library opens nothing with SSH keys, nor with ssh-agent',
    });
  }
  return keys;
}

function sourceOf({ file, policyFile, stored, env, home }: IdentityRequest): Source {
  if (file !== undefined) return { kind: 'file', path: resolve(file), implicit: false };
  const text = env['QUORATE_IDENTITY'];
  if (text) return { kind: 'bytes', name: 'QUORATE_IDENTITY', bytes: Buffer.from(text), stored: false };
  const named = env['QUORATE_IDENTITY_FILE'];
  if (named) return { kind: 'file', path: resolve(named), implicit: false };
  if (stored !== undefined) return { kind: 'bytes', name: stored.source, bytes: stored.bytes, stored: true };
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  return { kind: 'file', path: policyFile ?? join(config, 'quorate', 'identity.txt'), implicit: true };
}

/** undefined where there is no such file. Pipes (`<(pass age)`) have no modes worth judging. */
async function readIdentityFile(path: string): Promise<Uint8Array | undefined> {
  try {
    const info = await stat(path);
    if (info.isFile() && (info.mode & 0o077) !== 0) throw tooOpen(path, info.mode);
    return await readFile(path);
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
  return { source: path, keys: [key], made: true, stored: false };
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
