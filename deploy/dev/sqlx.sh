#!/usr/bin/env bash
# Checks every query against a database with all tables and writes what it learnt to .sqlx, from which builds are checked.
. "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit

if [ "${1:-}" != --inside ]; then
  path=$(deploy/dev/tools.sh sqlx)
  eval "$path"
  exec deploy/dev/with.sh deploy/dev/sqlx.sh --inside
fi

# Each service has a schema of its own with the runtime's tables and its own, as at its start.
schemas=
for service in services/*/; do
  schema=$(basename "$service")
  schemas=$schemas${schemas:+,}$schema
  {
    printf 'create schema %s; set search_path = %s;\n' "$schema" "$schema"
    find shared/runtime/migrations "$service/migrations" -name '*.sql' 2>/dev/null | sort | while read -r file; do
      cat "$file"
      echo ';'
    done
  } | deploy/dev/database.sh apply
done

# Tables that several services share, each in a schema of its own that its migrations name.
cat shared/bitrix/migrations/*.sql shared/runtime/shared-migrations/*.sql | deploy/dev/database.sh apply

say "Checking the queries against the schemas $schemas."
case "$DATABASE_URL" in *\?*) DATABASE_URL="$DATABASE_URL&" ;; *) DATABASE_URL="$DATABASE_URL?" ;; esac
DATABASE_URL="${DATABASE_URL}options=-csearch_path%3D$schemas" SQLX_OFFLINE=false \
  cargo sqlx prepare --workspace -- --all-targets
