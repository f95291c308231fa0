#!/usr/bin/env bash
# Checks every query against a database with all tables and writes what it learnt to .sqlx, from which builds are checked.
. "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit

[ "${1:-}" = --inside ] || exec deploy/dev/with.sh deploy/dev/sqlx.sh --inside

learnt=$DEV/sqlx
rm -rf "$learnt"
mkdir -p "$learnt"

# As at a service's start: a schema of its own with the runtime's tables and its own.
set_up() {
  {
    printf 'create schema %s; set search_path = %s;\n' "$1" "$1"
    for crate in shared/runtime "services/$1"; do
      find "$crate/migrations" -name '*.sql' 2>/dev/null | sort
    done | while read -r file; do
      cat "$file"
      echo ';'
    done
  } | deploy/dev/database.sh apply
}

# Checks the queries of one crate; the macro looks at them only while their crate is compiled.
check() {
  local crate=$1 schema=$2 base=$DATABASE_URL other
  # A service whose tests run another one beside it has that one's tables behind its own.
  # shellcheck disable=SC2013 # names without blanks
  for other in $(sed -n 's#.*path = "\.\./\([a-z]*\)".*#\1#p' "$crate/Cargo.toml"); do
    [ ! -d "services/$other" ] || schema="$schema%2C$other"
  done
  say "Checking the queries of $(basename "$crate")."
  case "$base" in *\?*) base="$base&" ;; *) base="$base?" ;; esac
  find "$crate" -name '*.rs' -exec touch {} +
  DATABASE_URL="${base}options=-csearch_path%3D$schema" SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$learnt \
    cargo check --quiet --package "$(basename "$crate")" --all-targets
}

# Tables that several services share, each in a schema of its own that its migrations name.
cat shared/bitrix/migrations/*.sql shared/runtime/shared-migrations/*.sql | deploy/dev/database.sh apply

# Two services may each have a table of one name, so each is checked with its own schema alone; what all build on goes
# first, with any of them.
for crate in services/*/; do set_up "$(basename "$crate")"; done
for crate in shared/*/ services/*/; do
  grep -rqE 'sqlx::(query|query_as|query_scalar)!' "$crate" --include='*.rs' || continue
  case $crate in services/*) schema=$(basename "$crate") ;; *) schema=fiscal ;; esac
  check "$crate" "$schema"
done

rm -rf .sqlx
mv "$learnt" .sqlx
say "The queries are in .sqlx: $(find .sqlx -name '*.json' | wc -l) of them."
