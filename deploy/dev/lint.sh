#!/usr/bin/env bash
# Format, lints, docs, dependencies and scripts. Runs all of them, names those that failed, and fails if any did.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
export SQLX_OFFLINE=true
path=$(deploy/dev/tools.sh deny machete)
eval "$path"

bad=
locked() { cargo metadata --locked --format-version 1 >/dev/null; }
check() { phase "$@" || bad="$bad, $1"; }

# Advisories come from a git host. Where that is out of reach the rest is still checked, and the gap is said.
dependencies() {
  if cargo deny fetch db >"$DEV/advisories.log" 2>&1; then
    deny advisories bans licenses sources
  else
    say "NOT CHECKED: security advisories. Their database cannot be fetched from here; $DEV/advisories.log says why."
    deny bans licenses sources
  fi
}

# A crate in two versions is a warning: counted here, listed in the log.
deny() {
  local log=$DEV/deny.log
  if cargo deny check --hide-inclusion-graph "$@" >"$log" 2>&1; then
    say "Crates in more than one version: $(grep -c '^warning\[duplicate\]' "$log" || true); see $log."
  else
    cat "$log" >&2
    return 1
  fi
}

# Scripts are checked where shellcheck is installed.
scripts() {
  have shellcheck || { say "NOT CHECKED: the scripts. shellcheck is not installed."; return 0; }
  shellcheck -x .ci/run deploy/*.sh deploy/demo/*.sh deploy/dev/*.sh
}

check "format" cargo fmt --all --check
check "lock file" locked
check "clippy" cargo clippy --workspace --all-targets --quiet -- -D warnings
RUSTDOCFLAGS="-D warnings" check "docs" cargo doc --workspace --no-deps --quiet
check "dependencies" dependencies
check "unused dependencies" cargo machete
check "scripts" scripts

[ -z "$bad" ] || die "Lint failed: ${bad#, }."
say "Lint is clean."
