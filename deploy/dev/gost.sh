#!/usr/bin/env bash
# OpenSSL's GOST engine, with which tests and the demonstration sign, and the emulator of GIS MT checks signatures.
#
#   gost.sh check              install the engine if OpenSSL has none
#   gost.sh pair FOLDER INN    a key and a certificate for demonstration in FOLDER, unless they are there: key.pem, certificate.pem
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Debian's and Ubuntu's name. Brew has none.
PACKAGE=libengine-gost-openssl
WHAT_TO_DO="OpenSSL has no GOST engine and it cannot be installed from here. Install the package $PACKAGE (Debian, Ubuntu) \
or build https://github.com/gost-engine/engine, until \`openssl engine gost\` succeeds, and try again."

main() {
  case "${1:-}" in
    check) check ;;
    pair) pair "${2:?a folder}" "${3:?an INN}" ;;
    *) die "usage: gost.sh check | pair FOLDER INN" ;;
  esac
}

has_engine() { have openssl && openssl engine gost >/dev/null 2>&1; }

check() {
  ! has_engine || return 0
  have apt-get || die "$WHAT_TO_DO"
  have openssl || install_package openssl openssl "$WHAT_TO_DO"
  install_package "$PACKAGE" gost-engine "$WHAT_TO_DO"
  has_engine || die "$WHAT_TO_DO"
}

pair() {
  local folder=$1 inn=$2 name
  [ ! -f "$folder/certificate.pem" ] || return 0
  check
  (
    umask 077
    mkdir -p "$folder"
    # OpenSSL cuts the first number off a name: 1.2.643.100.4 is the INN of a legal entity.
    cat >"$folder/request.cnf" <<C
[req]
distinguished_name = dn
prompt = no
x509_extensions = v3
utf8 = yes
string_mask = utf8only
[dn]
CN = ООО Пример (ТЕСТ)
O = ООО Пример
1.1.2.643.100.4 = $inn
[v3]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
C
    openssl genpkey -engine gost -algorithm gost2012_256 -pkeyopt paramset:TCA -out "$folder/key.pem" &&
      openssl req -engine gost -new -x509 -md_gost12_256 -utf8 -days 365 -config "$folder/request.cnf" \
        -key "$folder/key.pem" -out "$folder/new.pem" &&
      mv "$folder/new.pem" "$folder/certificate.pem"
  ) >"$DEV/gost.log" 2>&1 || { name=$(tail -n 3 "$DEV/gost.log"); die "No key could be made: $name"; }
  say "Made a key and a certificate with the INN $inn for demonstration in $folder."
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
