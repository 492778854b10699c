/** The part of the probe that sees what runs: etcd processes, who listens on our ports, packages that bring an etcd of their own. */

/** Of a process's arguments only this much is sent: anybody may call a process etcd. */
const ARGUMENTS_SENT_BYTES = 4096;

/** POSIX sh; uses the functions of probe-body.ts and sets nothing that later parts read. */
export const processes = `
patterns= sockets=
note_sockets() {
  for each do
    set -- $each
    ours "$2" && sockets="$sockets$2 \${10}$nl" patterns="$patterns -e socket:.\${10}."
  done
}
spread note_sockets "$(grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null)"
emit sockets "$sockets"
found_etcds=$(grep -lE '^etcd([-_.]?v?[0-9].*)?$' /proc/[0-9]*/comm 2>/dev/null)
folders=
# Those of another network, as in a container, are not asked about. Where not all three links are to be read, none is left out.
note_links() { ours_net=$1 net=$2 executable=$3 linked=$#; }
for each in $found_etcds; do
  process=\${each%/comm} linked=0
  spread note_links "$(readlink /proc/self/ns/net "$process/ns/net" "$process/exe" 2>/dev/null)"
  if [ $linked != 3 ]; then
    executable=$(readlink "$process/exe" 2>/dev/null)
  elif [ "$ours_net" != "$net" ]; then
    continue
  fi
  folders="$folders $process/fd"
  case $executable in *"$nl"*) executable= ;; esac
  lines "$process/cgroup" 2>/dev/null
  emit process "\${process#/proc/}$nl$executable$nl$value$nl$(head -c ${ARGUMENTS_SENT_BYTES} "$process/cmdline" 2>/dev/null | tr '\\000\\n' '\\n ')"
done
owners=
note_owners() {
  for each do
    case $each in
      # -q of ls: a file's name may hold line breaks, and pass for a line of its own.
      /proc/*) pid=\${each#/proc/} pid=\${pid%%/*} ;;
      *'socket:['*)
        each=\${each##*'socket:['} each=\${each%]}
        case $sockets in *" $each$nl"*)
          line "/proc/$pid/comm"
          owners="$owners$each $pid $value$nl" ;;
        esac ;;
    esac
  done
}
if [ -n "$sockets" ]; then
  [ -z "$folders" ] || spread note_owners "$(ls -lnq /proc/self/fd $folders 2>/dev/null)"
  spread count "$sockets"
  wanted=$counted counted=0
  spread count "$owners"
  [ $counted -ge $wanted ] ||
    spread note_owners "$(ls -lnq /proc/[0-9]*/fd 2>/dev/null | grep -e '^/proc/' $patterns)"
fi
emit owners "$owners"
packages=
if [ -e /var/lib/dpkg/info/etcd-server.list ] || [ -e /var/lib/dpkg/info/etcd.list ]; then
  packages=$(dpkg-query -W -f '\${db:Status-Abbrev} \${Package} \${Version}\\n' etcd-server etcd 2>/dev/null)
elif [ -e /usr/bin/etcd ] && has rpm && packages=$(rpm -q --qf 'ii %{NAME} %{VERSION}-%{RELEASE}\\n' etcd 2>/dev/null); then
  grep -qsE '^([0-9]+:)?etcd-' /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list &&
    packages="h\${packages#i}"
else
  packages=
fi
[ -z "$packages" ] || for each in /var/lib/etcd/default /var/lib/etcd/default.etcd; do
  keys_in "$each/member/snap/db" && packages="$packages\${nl}data $each"
done
emit packages "$packages"
defaults=
for each in /etc/default/etcd /etc/sysconfig/etcd; do
  [ -r "$each" ] && grep -qs '^[[:space:]]*[^#[:space:]]' "$each" && defaults="$defaults$each$nl"
done
emit defaults "$defaults"`;
