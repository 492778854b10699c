/** The shell that prepares a generation's folder, and that proves its pairs of keys. */
import { keyOwnership, requestsBeside } from '../domain/generation.ts';
import { quote } from '../domain/shell-quote.ts';
import { type LeafPurpose, type LeafWish, leafPurposes } from '../domain/step.ts';

/** Fails where the link in use points to `directory`: nothing is ever changed in the folder that etcd reads. */
export function notInUse(link: string, directory: string): string {
  return `if [ "$(readlink -f -- ${quote(link)})" = "$(readlink -m -- ${quote(directory)})" ]; then
  printf '%s\\n' ${quote(`${directory} is in use: it is never changed`)} >&2
  exit 1
fi`;
}

/** Makes the folder, takes keys away, and takes others over from the generation in use; each key appears after its old public half has gone. */
export function prepareScript(
  { directory, from, user }: { readonly directory: string; readonly from: string; readonly user: string },
  gaps: readonly LeafWish[],
): string {
  const drop = gaps.flatMap(({ purpose }) => ['crt', 'pub', 'key'].map((end) => `"$next/${purpose}.${end}"`));
  const take = gaps
    .filter((each) => each.key !== 'make')
    .map(({ purpose, key }) => {
      const source = key === 'requested' ? requestsBeside(directory) : from;
      return takeOver(purpose, source, user);
    });
  return `next=${quote(directory)}
if [ -L "$next" ] || [ -f "$next" ]; then rm -f "$next"; fi
install -d -m 0755 -o root -g root "$next"
${drop.length === 0 ? ':' : `rm -f ${drop.join(' ')}`}
sync "$next"
${take.join('\n')}`;
}

/** In a folder that root alone can enter, so that it is never readable before it has its owner and mode. */
function takeOver(purpose: LeafPurpose, from: string, user: string): string {
  const { mode, owner, group } = keyOwnership(purpose, user);
  const source = quote(`${from}/${purpose}`);
  return `rm -rf "$next/.new"
mkdir -m 0700 "$next/.new"
cat ${source}.key > "$next/.new/key"
cat ${source}.pub > "$next/.new/pub"
chown ${quote(`${owner}:${group}`)} "$next/.new/key"
chmod ${mode} "$next/.new/key"
sync "$next/.new/key" "$next/.new/pub"
mv -fT "$next/.new/key" "$next/${purpose}.key"
mv -fT "$next/.new/pub" "$next/${purpose}.pub"
rmdir "$next/.new"
sync "$next"`;
}

/** Fails where a private key in `directory` is not that of its public half, which its certificate was issued for. */
export function pairScript(directory: string): string {
  return `pairs=${quote(directory)}
if command -v openssl >/dev/null 2>&1; then
  public_half() { openssl pkey -in "$1" -pubout </dev/null; }
else
  # It wants a file that nobody else may read, whoever owns the key.
  public_half() {
    (umask 077; cat "$1" > "$stage/pair")
    ssh-keygen -y -f "$stage/pair" > "$stage/pair.pub" </dev/null
    ssh-keygen -e -m PKCS8 -f "$stage/pair.pub"
    rm -f "$stage/pair" "$stage/pair.pub"
  }
fi
for each in ${leafPurposes.join(' ')}; do
  half=$(public_half "$pairs/$each.key") || half=
  if [ -z "$half" ] || [ "$half" != "$(cat "$pairs/$each.pub")" ]; then
    rm -f "$stage/pair" "$stage/pair.pub"
    echo "$pairs/$each.key is not the key of $each.pub" >&2
    exit 1
  fi
done`;
}

/** Removes every generation beside the one that the link points to, which must be `target`, and keys of requests where they are named. */
export function pruneScript({
  folder,
  link,
  target,
  requests,
}: {
  readonly folder: string;
  readonly link: string;
  readonly target: string;
  readonly requests?: string;
}): string {
  const requested = requests === undefined ? '' : `rm -rf --one-file-system -- ${quote(requests)}\n`;
  return `if [ "$(readlink -- ${quote(link)})" != ${quote(target)} ]; then
  printf '%s\\n' ${quote(`${link} does not point to ${target}`)} >&2
  exit 1
fi
for each in ${quote(folder)}/*; do
  case \${each##*/} in
    ${quote(target.slice(target.lastIndexOf('/') + 1))} | *[!0-9]*) ;;
    *) rm -rf --one-file-system -- "$each" ;;
  esac
done
${requested}sync ${quote(folder)}`;
}
