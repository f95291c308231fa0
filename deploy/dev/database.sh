#!/usr/bin/env bash
# Finds or starts PostgreSQL and gives out a database of our own on it.
#
#   database.sh use NAME    find or start a server, make the database NAME, print DATABASE_URL to evaluate
#   database.sh drop NAME   delete the database NAME, and those whose names begin with NAME_, from the server at DATABASE_URL
#   database.sh apply       run the SQL on standard input at DATABASE_URL
#   database.sh stop        stop the server if one of these scripts started it
#   database.sh pid         print the process number of the private server
#
# Looked for in this order: DATABASE_URL; the private server if it runs; 127.0.0.1:5432; the private server's data of an
# earlier run; the system's own, stopped; a package to install, then run privately. PAROM_PRIVATE=1 goes straight to the
# private one. A server found running is never changed beyond the databases named here.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HOME_DIR=$DEV/postgresql
# It lies elsewhere when the server's user cannot walk to it; a path through here would not help him.
[ ! -L "$HOME_DIR" ] || HOME_DIR=$(cd "$HOME_DIR" && pwd -P)
STARTED=$DEV/postgresql.started
MIN_VERSION=13
WHAT_TO_DO="No PostgreSQL was found and there is neither apt-get (with root's rights) nor brew to install it. \
Install PostgreSQL $MIN_VERSION or newer, or set DATABASE_URL=postgres://user:password@host:5432/postgres to one that runs, and try again."

main() {
  case "${1:-}" in
    use) use "${2:?name of a database}" ;;
    drop) drop "${2:?name of a database}" ;;
    apply) find_psql && psql -X -w -q -v ON_ERROR_STOP=1 "${DATABASE_URL:?the URL that \`use\` printed}" ;;
    stop) lock postgresql && stop ;;
    pid) line_of "$HOME_DIR/data/postmaster.pid" ;;
    *) die "usage: database.sh use NAME | drop NAME | apply | stop | pid" ;;
  esac
}

use() {
  lock postgresql
  find_psql
  find_server
  if given_database "$1"; then
    say "Using the database $(database_of "$SERVER") that DATABASE_URL names."
    export_line DATABASE_URL "$SERVER"
    return
  fi
  if [ -z "$(ask "$SERVER" "select 1 from pg_database where datname = '$1'")" ]; then
    say "Making the database $1."
    ask "$SERVER" "create database \"$1\"" >/dev/null || die "The login in use may not create databases."
  fi
  export_line DATABASE_URL "$(url_with_database "$SERVER" "$1")"
}

# A test run always has a database of its own; `make up` takes the one that DATABASE_URL names.
given_database() {
  [ "$1" = parom ] && [ -n "${DATABASE_URL:-}" ] && [ "$SERVER" = "$DATABASE_URL" ] || return 1
  case "$(database_of "$SERVER")" in '' | postgres | template1) return 1 ;; esac
}

drop() {
  case "$1" in parom*) ;; *) die "Only databases whose names begin with parom are ours to delete." ;; esac
  find_psql
  local server name
  server=$(url_with_database "${DATABASE_URL:?the URL that \`use\` printed}" postgres)
  for name in $(ask "$server" "select datname from pg_database where datname = '$1' or starts_with(datname, '$1_')"); do
    ask "$server" "drop database if exists \"$name\" with (force)" >/dev/null
  done
}

# --- which server -------------------------------------------------------------------------------------------------------

# Sets SERVER, the URL of a server that lets us in and lets us create databases.
find_server() {
  if [ "${PAROM_PRIVATE:-}" = 1 ]; then
    private
  elif [ -n "${DATABASE_URL:-}" ]; then
    SERVER=$DATABASE_URL
    ask "$SERVER" 'select 1' >/dev/null || die "The PostgreSQL that DATABASE_URL names does not let us in: see the line above."
    say "Using the PostgreSQL that DATABASE_URL names."
  elif private_lives; then
    private
  elif found_running; then
    say "Using the PostgreSQL that runs at 127.0.0.1:5432; only the databases named here are ours."
  elif [ -d "$HOME_DIR/data" ]; then
    private
  elif start_system && found_running; then
    say "It lets us in."
  else
    # Started, but of no use to us.
    stop_system
    private
  fi
}

# Tries the logins that need no password, or have one in ~/.pgpass or PGPASSWORD.
found_running() {
  local login may
  listens 127.0.0.1 5432 || return 1
  for login in postgres "$(id -un)"; do
    SERVER=postgres://$login@127.0.0.1:5432/postgres
    may=$(ask "$SERVER" "select (rolsuper or rolcreatedb) and current_setting('server_version_num')::int >= ${MIN_VERSION}0000 \
      from pg_roles where rolname = current_user" 2>/dev/null) || continue
    [ "$may" != t ] || return 0
  done
  say "The PostgreSQL at 127.0.0.1:5432 does not answer, is older than $MIN_VERSION or does not let us create databases; leaving it alone."
  return 1
}

# --- the system's server, installed but stopped ---------------------------------------------------------------------------

# A server that is there but does not answer is not a stopped one: pg_lsclusters calls it online, and it is left alone.
start_system() {
  local cluster
  quiet_root && have pg_lsclusters && have pg_ctlcluster || return 1
  ! listens 127.0.0.1 5432 || return 1
  cluster=$(pg_lsclusters -h | awk '$3 == 5432 && $4 == "down" { print $1, $2; exit }')
  [ -n "$cluster" ] || return 1
  # shellcheck disable=SC2086 # version and name
  run_as_root pg_ctlcluster $cluster start || return 1
  { echo "$cluster" && postmaster "$cluster"; } >"$STARTED"
  wait_until 30 listens 127.0.0.1 5432
}

# Stops the very process that start_system started, and no other that took its place.
stop_system() {
  local cluster pid
  [ -f "$STARTED" ] || return 0
  cluster=$(line_of "$STARTED") pid=$(sed -n 2p "$STARTED")
  rm -f "$STARTED"
  [ -n "$pid" ] && [ "$(postmaster "$cluster")" = "$pid" ] || return 0
  say "Stopping the system's PostgreSQL, process $pid, which was started from here."
  # shellcheck disable=SC2086 # version and name
  run_as_root pg_ctlcluster $cluster stop || say "It did not stop; see $DEV/postgresql-start.log."
}

# The process of cluster $1 ("15 main"), if it runs.
postmaster() {
  # shellcheck disable=SC2046 # version and name become $1 and $2
  set -- $(pg_lsclusters -h | awk -v cluster="$1" '$1 " " $2 == cluster { print $6 }')
  [ -z "${1:-}" ] || as_root sed -n 1p "$1/postmaster.pid" 2>/dev/null || true
}
run_as_root() {
  say "As root: $*"
  as_root "$@" >>"$DEV/postgresql-start.log" 2>&1
}

stop() {
  stop_system
  stop_private
}

# --- a server of our own ------------------------------------------------------------------------------------------------

. "$(dirname "${BASH_SOURCE[0]}")/database-private.sh"

# --- psql ---------------------------------------------------------------------------------------------------------------

find_psql() {
  local folder
  for folder in /opt/homebrew/opt/libpq/bin /usr/local/opt/libpq/bin; do
    [ ! -x "$folder/psql" ] || PATH=$PATH:$folder
  done
  have psql || ! folder=$(find_bin) || PATH=$PATH:$folder
  have psql || install_package postgresql-client libpq "$WHAT_TO_DO"
  have psql || PATH=$PATH:$(brew --prefix libpq)/bin
}

# Runs statement $2 at URL $1 and prints bare rows; never asks for a password.
ask() { PGCONNECT_TIMEOUT=10 PGOPTIONS='-c client_min_messages=warning' psql -X -w -q -A -t -v ON_ERROR_STOP=1 -c "$2" "$1"; }

# --- postgres://login:password@host:port/database?options ---------------------------------------------------------------

database_of() {
  local rest=${1#*://}
  rest=${rest%%\?*}
  case "$rest" in */*) url_decode "${rest#*/}" ;; esac
}

url_with_database() {
  local rest=${1#*://} query=
  case "$rest" in *\?*) query="?${rest#*\?}" rest=${rest%%\?*} ;; esac
  echo "${1%%://*}://${rest%%/*}/$2$query"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
