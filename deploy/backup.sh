#!/usr/bin/env bash
# A backup of the truth: PostgreSQL. The broker needs none, PostgreSQL brings its work back.
#
#   DATABASE_URL=postgres://… backup.sh FILE          writes FILE, or nothing: never half of one
set -euo pipefail
file=${1:?a file}
: "${DATABASE_URL:?where the database is}"
umask 077
# One snapshot of all schemas: jobs and what they have said belong together.
pg_dump --format=custom --compress=6 --no-owner --no-privileges --file="$file.new" "$DATABASE_URL"
# A dump that cannot be read back is none.
pg_restore --list "$file.new" >/dev/null
mv "$file.new" "$file"
