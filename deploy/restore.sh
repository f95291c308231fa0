#!/usr/bin/env bash
# Restores a backup into an empty database. Stop all services first: two systems at work on one truth double effects.
#
#   DATABASE_URL=postgres://… restore.sh FILE
set -euo pipefail
file=${1:?a file}
: "${DATABASE_URL:?where the empty database is}"
jobs=$(psql -X -A -t -v ON_ERROR_STOP=1 -c \
  "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')" "$DATABASE_URL")
[ "$jobs" = 0 ] || { echo "The database is not empty: it has $jobs tables. Restore into a new one." >&2; exit 1; }
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$DATABASE_URL" "$file"
