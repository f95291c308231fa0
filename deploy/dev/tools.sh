#!/usr/bin/env bash
# Installs the cargo commands that are missing and prints the PATH to evaluate.
#
#   tools.sh NAME…    of: nextest deny machete
#
# What is on PATH is used as it is. The rest is built into .dev/tools, unoptimised: they run for seconds, and an optimised
# build takes minutes longer than it saves.
. "$(dirname "$0")/lib.sh"
TOOLS=$DEV/tools

main() {
  local name
  PATH=$PATH:$TOOLS/bin
  for name in "$@"; do
    have "cargo-$name" || install "$name"
  done
  rm -rf "$TOOLS/target"
  export_line PATH "$PATH"
}

install() {
  case "$1" in
    nextest) build cargo-nextest 0.9.143 --no-default-features --features default-no-update ;;
    deny) build cargo-deny 0.20.2 ;;
    machete) build cargo-machete 0.9.2 ;;
    *) die "No such tool: $1." ;;
  esac
}

# build CRATE VERSION OPTION…
build() {
  local crate=$1 version=$2 began=$SECONDS
  shift 2
  say "Building $crate $version into $TOOLS, as it is not on PATH."
  CARGO_TARGET_DIR=$TOOLS/target cargo install --quiet --locked --debug --root "$TOOLS" --version "$version" "$crate" "$@" >&2
  say "$crate is built after $((SECONDS - began)) s."
}

main "$@"
