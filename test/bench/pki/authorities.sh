# Makes the two authorities of a benchmark's cluster where they are missing: authorities.sh FOLDER
set -eu
umask 077
mkdir -p "$1"
cd "$1"
for name in ca peer-ca; do
  [ ! -e "$name.crt" ] || continue
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.new" \
    -days 3650 -subj "/CN=bench $name" -addext basicConstraints=critical,CA:true,pathlen:0 \
    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  mv "$name.new" "$name.crt"
done
