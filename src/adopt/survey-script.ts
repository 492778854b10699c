/** The read-only scripts that look for a running etcd on a host, and then at what it refers to. POSIX sh; they make no file. */
import { ownedKeys } from '../domain/etcd-keys-owned.ts';
import { etcdKeyRows, featureGates } from '../domain/etcd-keys-table.ts';
import { quote } from '../domain/shell-quote.ts';

export const SURVEY_BEGIN = 'quorate-survey 1 begin';
export const SURVEY_END = 'quorate-survey 1 end';

/** Of a longer file only this much is sent. */
const FILE_SENT_BYTES = 131_072;
const ARGUMENTS_SENT_BYTES = 65_536;

/** A line is a key, a space and base64. Values never pass through the shell's own words, where zero octets end. */
const frame = `set +euf
LC_ALL=C TZ=UTC0
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL TZ PATH
say() { printf '%s ' "$1"; base64 | tr -d '\\n'; echo; }
tell() { printf %s "$2" | say "$1"; }
sent() { head -c ${FILE_SENT_BYTES} -- "$1" 2>/dev/null; }
echo '${SURVEY_BEGIN}'`;

/**
 * Every etcd in the host's own network namespace: its command line, its directories, those ETCD_* variables that are etcd's own settings (others may hold
 * passwords, and do not leave the host), its configuration file, its unit.
 */
export function surveyScript(): string {
  return `${frame}
tell hostname "$(cat /proc/sys/kernel/hostname 2>/dev/null)"
{ ip -o addr show scope global 2>/dev/null || :; } | say addresses
[ ! -e /etc/kubernetes/manifests/etcd.yaml ] || tell manifest /etc/kubernetes/manifests/etcd.yaml
for each in /etc/etcd /etc/etcd/pki /etc/etcd/pki.d /etc/etcd/etcd-config.yml /etc/quorate /var/lib/quorate/marker.json; do
  [ ! -e "$each" ] && [ ! -L "$each" ] || tell there "$each $(stat -c '%F' -- "$each" 2>/dev/null)"
done
for comm in $(grep -lE '^etcd([-_.]?v?[0-9].*)?$' /proc/[0-9]*/comm 2>/dev/null); do
  p=\${comm%/comm}
  [ "$(readlink "$p/ns/net")" = "$(readlink /proc/self/ns/net)" ] || continue
  tell process "\${p#/proc/}"
  tell executable "$(readlink "$p/exe" 2>/dev/null)"
  tell user "$(stat -c %U "$p" 2>/dev/null)"
  tell cwd "$(readlink "$p/cwd" 2>/dev/null)"
  sent "$p/cgroup" | say cgroup
  head -c ${ARGUMENTS_SENT_BYTES} "$p/cmdline" 2>/dev/null | say arguments
  tr '\\000\\n' '\\n ' <"$p/environ" 2>/dev/null | grep -E '^(${settingVariables().join('|')})=' | say environment
  config=$(tr '\\000\\n' '\\n ' <"$p/cmdline" 2>/dev/null | sed -n -e 's/^--\\{0,1\\}config-file=//p' -e '/^--\\{0,1\\}config-file$/{n;p;}' | tail -n 1)
  [ -n "$config" ] || config=$(tr '\\000\\n' '\\n ' <"$p/environ" 2>/dev/null | sed -n 's/^ETCD_CONFIG_FILE=//p' | tail -n 1)
  case $config in
    '') ;;
    /*) sent "$p/root$config" | say config ;;
    *) sent "$p/cwd/$config" | say config ;;
  esac
  { ETCD_UNSUPPORTED_ARCH=arm64 timeout 5 "$p/exe" --version 2>/dev/null || :; } | head -c 400 | say version
  unit=$(sed -n 's#^[^/]*/.*/\\([^/]*\\.service\\)$#\\1#p' "$p/cgroup" 2>/dev/null | head -n 1)
  [ -z "$unit" ] || systemctl show -p Id,FragmentPath,DropInPaths,UnitFileState,User,EnvironmentFiles -- "$unit" 2>/dev/null | say unit
done
{ systemctl list-unit-files 'etcd*.service' --no-legend --no-pager 2>/dev/null || :; } | head -n 20 | say units
tell end ok
echo '${SURVEY_END}'
`;
}

/** Variables that etcd reads as its flags. */
function settingVariables(): readonly string[] {
  const names = [
    ...Object.entries(etcdKeyRows).flatMap(([name, row]) => [name, row.experimentalName ?? `experimental-${name}`]),
    ...Object.values(featureGates).flatMap(({ key }) => key ?? []),
    ...Object.keys(ownedKeys).filter((each) => /^[a-z0-9-]+$/.test(each)),
    ...['feature-gates', 'cert-allowed-cn', 'peer-cert-allowed-cn', 'socket-reuse-port', 'socket-reuse-address'],
  ];
  return [...new Set(names)].map((each) => `ETCD_${each.toUpperCase().replaceAll('-', '_')}`).sort();
}

/** What is looked at once the settings are known. Paths are as the process sees them. */
export interface DetailWish {
  readonly pid: number;
  /** Looked at, not read. */
  readonly seen: readonly string[];
  /** Of these, certificates are read, and nothing else: a key may stand in the same file. */
  readonly certificates: readonly string[];
  /** What the member's peer port is asked with; undefined: it is asked otherwise. */
  readonly ask: TlsQuestion | undefined;
}

/** A question to a TLS port on the host, with keys that lie and stay there. */
export interface TlsQuestion {
  /** `10.0.0.1:2380`, IPv6 in brackets. */
  readonly authority: string;
  /** '' where there is none to show. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A private key that the operator asked for by a flag of its own. */
export function readKeyScript(path: string): string {
  return `${frame}
sent ${quote(path)} | say key
tell end ok
echo '${SURVEY_END}'
`;
}

/** The script for the details; its records are `seen PATH|TYPE|MODE|OWNER|GROUP`, `certificate PATH` with `text` behind it, and `answer`. */
export function detailScript(wish: DetailWish): string {
  const root = `/proc/${wish.pid}/root`;
  const seen = wish.seen.map((path) => {
    const place = quote(`${root}${path}`);
    return `[ ! -e ${place} ] || tell seen ${quote(path)}"|$(stat -L -c '%F|%a|%U|%G' -- ${place} 2>/dev/null)"`;
  });
  const certificates = wish.certificates.map(
    (path) => `tell certificate ${quote(path)}
sent ${quote(`${root}${path}`)} | sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' | say text`,
  );
  return [frame, ...seen, ...certificates, ...asking(wish, root), 'tell end ok', `echo '${SURVEY_END}'\n`].join('\n');
}

/** The members as the peer port tells them (rafthttp, peerMembersPath); every minor does. */
function asking({ ask }: DetailWish, root: string): readonly string[] {
  if (ask === undefined) return [];
  const own = ask.certFile === '' ? [] : ['--cert', `${root}${ask.certFile}`, '--key', `${root}${ask.keyFile}`];
  const shown = ask.certFile === '' ? [] : ['-cert', `${root}${ask.certFile}`, '-key', `${root}${ask.keyFile}`];
  const curl = ['curl', '-s', '-k', '-i', '--http1.1', '--noproxy', '*', '--max-time', '5', ...own];
  const openssl = ['openssl', 's_client', '-quiet', '-connect', ask.authority, ...shown];
  return [
    `if command -v curl >/dev/null 2>&1; then
  ${words(curl)} ${quote(`https://${ask.authority}/members`)} 2>/dev/null | head -c 65536 | say answer
elif command -v openssl >/dev/null 2>&1; then
  { printf 'GET /members HTTP/1.0\\r\\n\\r\\n'; sleep 1; } | timeout 5 ${words(openssl)} 2>/dev/null | head -c 65536 | say answer
fi`,
  ];
}

function words(list: readonly string[]): string {
  return list.map(quote).join(' ');
}
