# Makes the two authorities of a benchmark's cluster where they are missing: authorities.sh FOLDER [ALGORITHM]
set -eu
umask 077
mkdir -p "$1"
cd "$1"
case ${2-} in
  rsa-*) key="rsa:${2#rsa-}" ;;
  *) key='ec -pkeyopt ec_paramgen_curve:P-256' ;;
esac
for name in ca peer-ca; do
  [ ! -e "$name.crt" ] || continue
  # shellcheck disable=SC2086
  openssl req -x509 -newkey $key -nodes -keyout "$name.key" -out "$name.new" \
    -days 3650 -subj "/CN=bench $name" -addext basicConstraints=critical,CA:true,pathlen:0 \
    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  mv "$name.new" "$name.crt"
done
