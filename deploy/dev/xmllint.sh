#!/usr/bin/env bash
# libxml2's xmllint, which holds documents against official schemas.
#
#   xmllint.sh check    install it if it is not on PATH
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WHAT_TO_DO="xmllint is not on PATH and cannot be installed from here. Install the package libxml2-utils (Debian, Ubuntu) \
or libxml2 (brew), until \`xmllint --version\` succeeds, and try again."

main() {
  case "${1:-}" in
    check) check ;;
    *) die "usage: xmllint.sh check" ;;
  esac
}

check() {
  ! have xmllint || return 0
  install_package libxml2-utils libxml2 "$WHAT_TO_DO"
  have xmllint || die "$WHAT_TO_DO"
}

main "$@"
