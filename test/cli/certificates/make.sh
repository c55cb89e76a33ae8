#!/bin/sh
# Makes the certificates of the tests anew: an authority and what it has signed. Needs OpenSSL 3. The keys protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index.txt"
cat >"$work/ca.cnf" <<CONFIG
[ca]
default_ca = own
[own]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
CONFIG

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

key "$work/authority.key"
openssl req -x509 -new -key "$work/authority.key" -subj "/CN=test authority" -days 20000 -out authority.pem \
  -addext "basicConstraints=critical,CA:TRUE"

# name, subject's alternative name, begin, end
signed() {
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -addext "subjectAltName=$2" -out "$work/$1.csr"
  openssl ca -batch -notext -config "$work/ca.cnf" -cert authority.pem -keyfile "$work/authority.key" \
    -in "$work/$1.csr" -startdate "$3" -enddate "$4" -out "$1.pem"
}
signed valid DNS:localhost 20260101000000Z 20760101000000Z
signed ended DNS:localhost 20200101000000Z 20200201000000Z
signed other-name DNS:elsewhere.test 20260101000000Z 20760101000000Z

key self-signed.key
openssl req -x509 -new -key self-signed.key -subj "/CN=localhost" -days 20000 -addext "subjectAltName=DNS:localhost" -out self-signed.pem
