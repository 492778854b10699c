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

# openssl uses the processor's own instructions for it, where it says what is right of an empty input.
case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
  e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855*) sha256() { openssl dgst -sha256 -r; } ;;
  *) sha256() { sha256sum; } ;;
esac
digest() {
  sum=$(sha256)
  printf '%s=%s\n' "$1" "${sum%% *}"
}

mkdir -p "$directory"
chmod 0755 "$directory"
rm -f "$record"
{
  printf 'invocation_id=%s\n' "$INVOCATION_ID"
  # Less the lines that etcd ignores once it has a WAL.
  sed -e '/^initial-cluster:/d' -e '/^initial-cluster-state:/d' -e '/^initial-cluster-token:/d' "$config" | digest config_sha256
  digest ca_sha256 <"$pki/ca.crt"
  digest peer_ca_sha256 <"$pki/peer-ca.crt"
  digest binary_sha256 <"$etcd"
  # systemd runs the unit as it last read it, and that may be another one than the file.
  case $(timeout 5 systemctl show -p NeedDaemonReload --value -- "$unit" 2>/dev/null) in
    yes) echo unit_sha256= ;;
    *) digest unit_sha256 <"$unit_file" ;;
  esac
} >"$record.new"
mv -f "$record.new" "$record"
