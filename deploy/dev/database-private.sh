# shellcheck shell=bash
# A PostgreSQL of our own under $HOME_DIR: own data, port and log, reached over the loopback address alone and without a
# password, as suits data made for trying things out. Sourced by database.sh.

private() {
  if private_lives; then
    # It may be starting, or busy. A second one over the same data is not to be had.
    wait_until 60 private_runs || die "The private PostgreSQL, process $(line_of "$HOME_DIR/data/postmaster.pid"), does not answer; its log is $HOME_DIR/log."
  else
    start_private
  fi
  # shellcheck disable=SC2034 # what database.sh asked for
  SERVER=$(private_url)
  say "Using the private PostgreSQL at port $(line_of "$HOME_DIR/port"), data in $HOME_DIR."
}

private_url() { echo "postgres://postgres@127.0.0.1:$(line_of "$HOME_DIR/port")/postgres"; }
private_lives() { is_process "$(line_of "$HOME_DIR/data/postmaster.pid")" "$HOME_DIR/data"; }
private_runs() { private_lives && ask "$(private_url)" 'select 1' >/dev/null 2>&1; }

start_private() {
  BIN=$(find_bin) || { install_package postgresql postgresql "$WHAT_TO_DO"; BIN=$(find_bin) || die "$WHAT_TO_DO"; }
  make_home
  [ -s "$HOME_DIR/data/PG_VERSION" ] || make_data
  if [ ! -s "$HOME_DIR/port" ] || listens 127.0.0.1 "$(line_of "$HOME_DIR/port")"; then free_port >"$HOME_DIR/port"; fi
  say "Starting a private PostgreSQL at port $(line_of "$HOME_DIR/port"); its log is $HOME_DIR/log."
  # Right after a crash the old children hold the shared memory for a moment, and the first tries are refused.
  wait_until 30 start_server || { tail -n 20 "$HOME_DIR/log" >&2; die "The private PostgreSQL did not start."; }
}

start_server() {
  as_owner "$BIN/pg_ctl" start -D "$HOME_DIR/data" -l "$HOME_DIR/log" -w -t 60 \
    -o "-p $(line_of "$HOME_DIR/port")" >>"$DEV/postgresql-start.log" 2>&1 </dev/null
}

stop_private() {
  private_lives || return 0
  say "Stopping the private PostgreSQL."
  BIN=$(find_bin)
  as_owner "$BIN/pg_ctl" stop -D "$HOME_DIR/data" -m fast -w -t 60 >>"$DEV/postgresql-start.log" 2>&1
}

make_data() {
  say "Laying out PostgreSQL's data in $HOME_DIR/data."
  as_owner "$BIN/initdb" -D "$HOME_DIR/data" -U postgres -A trust -E UTF8 --locale="$(utf8_locale)" --lc-messages=C \
    >>"$DEV/postgresql-start.log" 2>&1 || { tail -n 5 "$DEV/postgresql-start.log" >&2; die "initdb failed."; }
  # Every test opens pools of its own, so there are more connections than the usual 100. No socket: its path may be too long.
  printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" "max_connections = 300" |
    as_owner tee -a "$HOME_DIR/data/postgresql.conf" >/dev/null
}

# Under the plain C locale a server does not know that «Ж» and «ж» are one letter.
utf8_locale() { locale -a | grep -iE '^(C|en_US)\.utf-?8$' | head -n 1 | grep . || echo C; }

# PostgreSQL refuses to run as root, so root lends it to another user; who must be able to walk to the folder.
make_home() {
  [ ! -d "$HOME_DIR" ] || return 0
  mkdir -p "$HOME_DIR"
  [ "$(id -u)" = 0 ] || return 0
  chown "$(owner)" "$HOME_DIR"
  as_owner test -w "$HOME_DIR" || move_home
}

move_home() {
  local elsewhere
  elsewhere=$(mktemp -d /var/tmp/parom-postgresql.XXXXXX)
  say "The user $(owner) cannot reach $HOME_DIR, so the data go to $elsewhere."
  rmdir "$HOME_DIR"
  ln -s "$elsewhere" "$HOME_DIR"
  HOME_DIR=$elsewhere
  chown "$(owner)" "$elsewhere"
}

owner() { if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi; }
as_owner() (
  cd / || exit
  if [ "$(id -u)" = 0 ]; then
    if have runuser; then runuser -u "$(owner)" -- "$@"; else sudo -u "$(owner)" -- "$@"; fi
  else
    "$@"
  fi
)

# The folder with the server's programs, the newest version's; Debian keeps them off PATH.
find_bin() {
  local folder found=
  for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
    [ ! -x "$folder/initdb" ] || found=$folder
  done
  if [ -z "$found" ] && have initdb; then found=$(dirname "$(command -v initdb)"); fi
  [ -n "$found" ] && echo "$found"
}
