/** The fixed part of the probe script: functions, then one record after another. Cheap because few programs are started. */
import { INODE_FORMAT } from '../domain/layout.ts';
import { processes } from './probe-processes.ts';

export const PROBE_BEGIN = 'quorate-probe 2 begin';
export const PROBE_END = 'quorate-probe 2 end';

/** Of a longer text only this much is sent, and the parser leaves it out. A revocation list of so many octets has some 100,000 entries. */
export const TEXT_LIMIT_BYTES = 4_194_304;

/** Of a data dir's names only so many are sent. */
export const ENTRIES_SENT = 20;

/** systemd's names of what the unit fact needs (systemctl show). */
export const UNIT_PROPERTIES = [
  ...['LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'FragmentPath', 'DropInPaths', 'MainPID'],
  ...['InvocationID', 'NRestarts', 'NeedDaemonReload', 'ExecMainCode', 'ExecMainStatus'],
] as const;

const functions = `
emit() { out="$out$1 \${#2}$nl$2$nl"; }
has() { command -v "$1" >/dev/null 2>&1; }
line() { value=; [ -r "$1" ] && IFS= read -r value <"$1"; }
lines() {
  value=
  [ -r "$1" ] || return 1
  while IFS= read -r each || [ -n "$each" ]; do value="$value$each$nl"; done <"$1"
}
spread() {
  command=$1
  IFS=$nl
  set -f
  set -- $2
  set +f
  unset IFS
  [ $# -eq 0 ] || $command "$@"
}
nearest() {
  near=$1
  until [ -d "$near" ]; do near=\${near%/*} near=\${near:-/}; done
}
writes() {
  for path do
    nearest "$path"
    [ -w "$near" ] || unwritable="$unwritable$path$nl"
  done
}
alive() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  line "/proc/$1/stat" || return 1
  set -- "$2" \${value##*) }
  [ "$1" = "\${21}" ]
}
look() {
  case $1 in *"$nl"*) return 1 ;; esac
  case "$nl$found" in *"$nl$1$nl"*) return 1 ;; esac
  if [ -L "$1" ]; then
    links="$links$1$nl"
  elif [ ! -e "$1" ]; then
    return 1
  fi
  found="$found$1$nl"
  [ -f "$1" ] && [ ! -L "$1" ]
}
see() { for path do look "$path"; done; }
big() { for path do look "$path" && large="$large$path$nl"; done; }
text() { for path do look "$path" && small="$small$path$nl"; done; }
whole() { for path do look "$path" && hashed="$hashed$path$nl"; done; }
stat_all() { stat -c '${INODE_FORMAT}' -- "$@"; }
hash_all() { sha256sum -- "$@"; }
read_all() { head -q -c ${TEXT_LIMIT_BYTES} -- "$@"; }
keys_in() {
  [ -f "$1" ] || return 1
  [ "$(stat -c %s "$1")" -lt 1048576 ] || return 0
  tr '\\000' Z <"$1" | grep -q 'ZZZZZ..._ZZZZZZZZ'
}
count() { counted=$#; }
link_all() {
  targets=$(readlink -- "$@" 2>/dev/null)
  counted=0
  spread count "$targets"
  if [ $counted = $# ]; then
    printf '%s\\n' "$targets"
  else
    for path do readlink "$path" || echo; done
  fi
}
vouch() {
  rest=$large large=
  [ -z "$rest" ] || digests
  spread unvouched "$rest"
}
vouched() {
  for notes do
    [ -r "$notes" ] || continue
    while IFS='|' read -r sha inode path; do
      case "$nl$hashes" in *"  $path$nl"*) continue ;; esac
      case "$nl$stats$nl" in *"$nl$inode|$path$nl"*) hashes="$hashes$sha  $path$nl" ;; esac
    done <"$notes"
  done
}
unvouched() {
  for path do
    case "$nl$hashes" in *"  $path$nl"*) ;; *) large="$large$path$nl" ;; esac
  done
}`;

const system = `
read -r began rest </proc/uptime
uid=
while read -r name value rest; do [ "$name" = Uid: ] && uid=\${rest%%[!0-9]*} && break; done </proc/self/status
emit uid "$uid"
line /proc/sys/kernel/arch || value=$(uname -m)
emit machine "$value"
line /proc/sys/kernel/hostname
emit hostname "$value"
line /etc/machine-id
emit machine-id "$value"
line /proc/sys/kernel/random/boot_id
boot_id=$value
emit boot-id "$value"
lines /etc/os-release || lines /usr/lib/os-release
emit os-release "$value"
value=
while read -r name value rest; do [ "$name" = MemTotal: ] && break; done </proc/meminfo
emit memory-kib "$value"
missing=
for each in $tools; do has "$each" || missing="$missing$each "; done
emit missing-tools "$missing"
key_tool=
for each in openssl ssh-keygen; do has "$each" && key_tool=$each; done
emit key-tool "$key_tool"
systemd=no
[ -d /run/systemd/system ] && systemd=yes
emit systemd "$systemd"
value=
# The library's name has it, and need not be started.
for each in /usr/lib/systemd/libsystemd-shared-[1-9]*.so /usr/lib64/systemd/libsystemd-shared-[1-9]*.so /usr/lib/*/systemd/libsystemd-shared-[1-9]*.so; do
  [ -e "$each" ] && each=\${each##*-shared-} && value="systemd \${each%.so}"
done
[ -n "$value" ] || value=$(has systemctl && systemctl --version 2>/dev/null)
emit systemd-version "$value"
value=
[ $systemd = yes ] && value=$(systemctl show -p ${UNIT_PROPERTIES.join(',')} -- "$unit" 2>/dev/null)
emit unit "$value"
# Programs are asked only of what the host's own files do not hold.
value= group=
while IFS= read -r each; do [ "\${each%%:*}" = "$user" ] && value=$each && break; done 2>/dev/null </etc/passwd
[ -n "$value" ] || ! has getent || value=$(getent passwd "$user")
emit user "$value"
if [ -n "$value" ]; then
  each=\${value#*:*:*:} each=\${each%%:*}
  while IFS=: read -r name rest id others; do [ "$id" = "$each" ] && group=$name && break; done 2>/dev/null </etc/group
  [ -n "$group" ] || group=$(id -gn "$user" 2>/dev/null)
fi
emit group "$group"
emit data-dir "$data_dir"
emit lib-dir "$lib_dir"`;

/** Where the host stands, and what it has room for. */
const surroundings = `
if has ip; then value=$(ip -o addr show 2>/dev/null); else value=; fi
emit addresses "$value"
value=
has ip || value=$(cat /proc/net/fib_trie /proc/net/if_inet6 2>/dev/null)
emit address-tables "$value"
nearest "$data_dir"
first=$near
nearest "$lib_dir"
emit disks "$(stat -f -c '%S %b %a %c %d' -- "$first" "$near")"
spinning=
for each in $(stat -L -c %d -- "$first" "$near"); do
  device=$(((each >> 8) & 4095)):$(((each & 255) | ((each >> 12) & 1048320)))
  line "/sys/dev/block/$device/queue/rotational" || line "/sys/dev/block/$device/../queue/rotational" || value=-
  spinning="$spinning$value "
done
emit rotational "$spinning"
unwritable=
[ "$uid" = 0 ] && written
emit unwritable "$unwritable"`;

const state = `
wal=no
for each in "$wal_dir"/*.wal; do [ -e "$each" ] && wal=yes; done
emit wal "$wal"
if [ "$ask_v2_log" = yes ] && [ $wal = yes ]; then
  # Names of v2 keys that etcd itself writes: members publish themselves, and the cluster's version.
  grep -aqF -e /0/members/ -e /0/version -- "$wal_dir"/*.wal
  case $? in 0) emit old-log yes ;; 1) emit old-log no ;; esac
fi
entries=
left=${ENTRIES_SENT}
for each in "$data_dir"/* "$data_dir"/.[!.]*; do
  [ $left -gt 0 ] || break
  if [ -e "$each" ] || [ -L "$each" ]; then entries="$entries\${each##*/}$nl" left=$((left - 1)); fi
done
emit entries "$entries"
lines "$run_file"
emit run "$value"
lock=
lock_boot=this
if [ -d "$lock_dir" ]; then
  for each in token owner command since; do
    line "$lock_dir/$each"
    lock="$lock$value$nl"
  done
  line "$lock_dir/boot"
  [ -z "$value" ] || [ "$value" = "$boot_id" ] || lock_boot=other
  line "$lock_dir/holder"
  set -- $value
  if [ "$lock_boot" = this ] && alive "$1" "$2"; then lock="\${lock}yes$nl"; else lock="\${lock}no$nl"; fi
  for each in "$lock_dir"/run.*; do
    [ "$lock_boot" = this ] || break
    line "$each"
    pid=\${each##*.}
    if alive "$pid" "$value" || { [ -z "$value" ] && [ -d "/proc/$pid" ]; }; then lock="$lock$pid "; fi
  done
fi
emit lock "$lock"`;

const files = `
choose
stats=$(spread stat_all "$found")
emit stats "$stats"
hashes=
vouch
emit hashes "$hashes$(spread hash_all "$small$hashed$large")"
emit links "$links"
emit targets "$(spread link_all "$links")"
emit texts "$small"`;

const clock = `
emit clock "$(date +%s.%N)"
read -r value rest </proc/uptime
emit uptimes "$began $value"`;

const answer = `
emit end ok
echo '${PROBE_BEGIN}'
has base64 && { printf %s "$out" && spread read_all "$small"; } | base64
echo '${PROBE_END}'
`;

const setup = `set +euf
set +C
unset IFS
LC_ALL=C TZ=UTC0
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL TZ PATH
nl='
'
out= found= small= hashed= large= links=`;

/** POSIX sh; expects the variables and functions that probe-script.ts defines above it. Starts about thirty programs. */
export const wholeProbe = [setup, functions, system, surroundings, processes, state, files, clock, answer].join('');

/** What files and the unit alone can tell: half as many programs. */
export const changesProbe = [setup, functions, system, state, files, answer].join('');
