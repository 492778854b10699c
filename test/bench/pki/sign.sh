# With the operator: signs a member's three requests: sign.sh FOLDER MEMBER ADDRESS REQUESTS, to FOLDER/MEMBER/PURPOSE.crt
set -eu
umask 077
requests=$(realpath "$4")
mkdir -p "$1/$2"
cd "$1/$2"
awk '/^-----BEGIN/ { n++ } { print > ("request." n) }' "$requests"
san="DNS:$2,DNS:localhost,IP:$3,IP:127.0.0.1,IP:::1"
sign() {
  printf '%s\n' basicConstraints=critical,CA:false keyUsage=critical,digitalSignature \
    "extendedKeyUsage=$3" subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "$5" >"$1.ext"
  openssl x509 -req -in "request.$4" -CA "../$2.crt" -CAkey "../$2.key" -set_serial "0x$(openssl rand -hex 16)" \
    -days 365 -extfile "$1.ext" -out "$1.new" 2>/dev/null
  mv "$1.new" "$1.crt"
}
sign server ca serverAuth,clientAuth 1 "subjectAltName=$san"
sign peer peer-ca serverAuth,clientAuth 2 "subjectAltName=$san"
sign client ca clientAuth 3 ''
rm request.? ./*.ext
