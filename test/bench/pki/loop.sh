# Issues certificates of new keys with openssl, one after another: loop.sh FOLDER ALGORITHM COUNT
set -eu
umask 077
cd "$1"
case $2 in
  rsa-*) key="RSA -pkeyopt rsa_keygen_bits:${2#rsa-}" ;;
  *) key='EC -pkeyopt ec_paramgen_curve:P-256' ;;
esac
printf '%s\n' basicConstraints=critical,CA:false keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth,clientAuth \
  subjectKeyIdentifier=hash authorityKeyIdentifier=keyid subjectAltName=DNS:etcd-1,DNS:localhost,IP:10.0.0.1,IP:127.0.0.1 >leaf.ext
n=0
while [ $n -lt "$3" ]; do
  n=$((n + 1))
  # shellcheck disable=SC2086
  openssl genpkey -algorithm $key -out leaf.key 2>/dev/null
  openssl req -new -key leaf.key -subj "/CN=etcd-$n" -out leaf.csr
  openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -set_serial "$n" -days 365 -extfile leaf.ext -out "leaf-$n.crt" 2>/dev/null
done
