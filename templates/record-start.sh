# Written by quorate. etcd's unit runs it as root before each start: record-start.sh CONFIGURATION
# Files and TLS handshakes do not tell what a running process has read, so this notes what it is about to read.
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
config=$1
pki=<%= it.pki %>
etcd=<%= it.etcd %>
unit=<%= it.unit %>
unit_file=<%= it.unitFile %>
directory=<%= it.runDir %>
record=<%= it.record %>

# Who installed the binary noted its sum beside it, which holds for as long as inode and change time are those of the note.
noted_sha256() {
  real=$(readlink -f "$etcd") && inode=$(LC_ALL=C TZ=UTC0 stat -c <%= it.inode %> -- "$real") || return 1
  [ -r "${real%/*}/"<%= it.digests %> ] || return 1
  while IFS='|' read -r binary_sum noted; do
    [ "$noted" != "$inode" ] || return 0
  done <"${real%/*}/"<%= it.digests %>
  return 1
}
# openssl uses the processor's own instructions for what is large, where it says what is right of an empty input.
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
hashed_sha256() {
  sums=$(openssl dgst -sha256 -r /dev/null "$etcd" 2>/dev/null) || sums=
  case $sums in
    "$empty "*) sums=${sums#*"$nl"} ;;
    *) sums=$(sha256sum <"$etcd") ;;
  esac
  binary_sum=${sums%% *}
}
nl='
'

[ -d "$directory" ] || mkdir -p -m 0755 "$directory"
[ ! -e "$record" ] || rm -f "$record"
{
  printf 'invocation_id=%s\n' "$INVOCATION_ID"
  # Less the lines that etcd ignores once it has a WAL.
  sums=$(sed -e '/^initial-cluster:/d' -e '/^initial-cluster-state:/d' -e '/^initial-cluster-token:/d' "$config" | sha256sum - "$pki/ca.crt" "$pki/peer-ca.crt" "$unit_file")
  for each in config ca peer_ca unit; do
    # sha256sum marks the line of a name that has a backslash in it by one at its beginning.
    sum=${sums%% *}
    sum=${sum#\\}
    [ "$each" = unit ] || printf '%s_sha256=%s\n' "$each" "$sum"
    sums=${sums#*"$nl"}
  done
  noted_sha256 || hashed_sha256
  printf 'binary_sha256=%s\n' "$binary_sum"
  # systemd runs the unit as it last read it, and that may be another one than the file.
  [ "$(timeout 5 systemctl show -p NeedDaemonReload --value -- "$unit" 2>/dev/null)" != yes ] || sum=
  printf 'unit_sha256=%s\n' "$sum"
} >"$record.new"
mv -f "$record.new" "$record"
