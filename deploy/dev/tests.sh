#!/usr/bin/env bash
# What the scripts promise about brokers and servers that are not theirs, tried on made-up machines: each test says what is
# found there, and everything that would be done as root is noted instead. Closes with a line "N passed, N failed".
# shellcheck disable=SC2317 # tests are called by name, and what they put in place of the machine by the scripts
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

main() {
  local name
  for name in $(compgen -A function test_); do
    : >"$work/root"
    rm -rf "${work:?}/dev"
    # In the background, so that the first thing that fails ends the test: under `if` bash would go on.
    (set -e; "$name") >"$work/log" 2>&1 &
    if wait $!; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAILED: $name"
      cat "$work/log"
    fi
  done
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

# Loads a script on a machine where we are root, RabbitMQ and PostgreSQL are installed, and nothing runs.
machine() {
  unset AMQP_URL DATABASE_URL PAROM_PRIVATE
  export PAROM_DEV=$work/dev
  # shellcheck source=broker.sh
  . "$here/$1.sh"
  listening='' server='' online=''
  listens() { [ -n "$listening" ]; }
  have() { true; }
  quiet_root() { true; }
  under_systemd() { true; }
  servers() { [ -z "$server" ] || echo "$server"; }
  as_root() { echo "$*" >>"$work/root"; }
  wait_until() { shift; "$@"; }
  private() { SERVER=private; }
  pg_lsclusters() { echo "15 main 5432 ${online:-down} postgres $work/cluster log"; }
}

nothing_done_as_root() { [ ! -s "$work/root" ]; }

# --- RabbitMQ -------------------------------------------------------------------------------------------------------------

broker() {
  machine broker
  answer=1
  amqp_open() { [ "$answer" != 0 ] || echo 3.10.8; return "$answer"; }
}

test_a_broker_that_answers_is_used() {
  broker; listening=1 server=7 answer=0
  find_server
  [ "$SERVER" = amqp://guest:guest@127.0.0.1:5672 ] && nothing_done_as_root
}

test_a_broker_that_listens_and_does_not_answer_is_left_alone() {
  broker; listening=1 server=7 answer=2
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_a_broker_that_refuses_us_is_left_alone() {
  broker; listening=1 server=7 answer=3
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_a_broker_that_runs_without_listening_is_left_alone() {
  broker; server=7
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_an_old_broker_is_left_alone() {
  broker; listening=1 server=7 answer=0
  amqp_open() { echo 3.9.13; }
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_a_stopped_broker_is_started_and_stopped_again() {
  broker
  as_root() { echo "$*" >>"$work/root"; listening=1 server=7 answer=0; }
  find_server
  [ "$SERVER" = amqp://guest:guest@127.0.0.1:5672 ]
  stop_system
  printf 'systemctl start rabbitmq-server\nsystemctl stop rabbitmq-server\n' | cmp - "$work/root"
}

test_a_broker_that_somebody_restarted_since_is_not_stopped() {
  broker
  as_root() { echo "$*" >>"$work/root"; listening=1 server=7 answer=0; }
  find_server
  server=8
  stop_system
  [ "$(cat "$work/root")" = "systemctl start rabbitmq-server" ]
}

test_a_start_that_fails_stops_nothing() {
  broker
  as_root() { echo "$*" >>"$work/root"; return 1; }
  find_server
  stop_system
  [ "$SERVER" = private ] && [ "$(cat "$work/root")" = "systemctl start rabbitmq-server" ]
}

test_only_virtual_hosts_of_ours_are_dropped() {
  broker
  ctl() { echo "$*" >>"$work/root"; }
  ! (AMQP_URL=amqp://127.0.0.1/shop drop shop) && nothing_done_as_root
}

test_a_private_broker_that_is_busy_gets_no_second_one_beside_it() {
  broker
  private_lives() { true; }
  start_private() { echo start >>"$work/root"; }
  # shellcheck source=broker-private.sh
  eval "$(sed -n '/^private() {/,/^}/p' "$here/broker-private.sh")"
  ! (private) && nothing_done_as_root
}

test_an_amqp_url_is_read_in_all_its_parts() {
  broker
  parse_url 'amqp://shop:p%25w%3Ad@mq.example:5673/a%2Fb?heartbeat=5'
  [ "$LOGIN $PASSWORD $HOST $PORT $VHOST" = 'shop p%w:d mq.example 5673 a/b' ]
  [ "$(url_with_vhost parom)" = 'amqp://shop:p%25w%3Ad@mq.example:5673/parom?heartbeat=5' ]
  parse_url 'amqps://[::1]'
  [ "$LOGIN $HOST $PORT $VHOST" = 'guest ::1 5671 /' ]
}

# --- PostgreSQL -----------------------------------------------------------------------------------------------------------

database() {
  machine database
  right=''
  ask() { [ -n "$right" ] && echo "$right"; }
}

test_a_server_that_answers_is_used() {
  database; listening=1 online=online right=t
  find_server
  [ "$SERVER" = postgres://postgres@127.0.0.1:5432/postgres ] && nothing_done_as_root
}

test_a_server_that_listens_and_does_not_answer_is_left_alone() {
  database; listening=1 online=online
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_a_server_that_runs_without_listening_is_left_alone() {
  database; online=online
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_a_server_without_the_right_to_create_databases_is_left_alone() {
  database; listening=1 online=online right=f
  find_server
  [ "$SERVER" = private ] && nothing_done_as_root
}

test_a_stopped_server_is_started_and_stopped_again() {
  database
  as_root() { case "$1" in sed) echo 7 ;; *) echo "$*" >>"$work/root"; listening=1 right=t ;; esac; }
  find_server
  [ "$SERVER" = postgres://postgres@127.0.0.1:5432/postgres ]
  stop_system
  printf 'pg_ctlcluster 15 main start\npg_ctlcluster 15 main stop\n' | cmp - "$work/root"
}

test_a_server_that_somebody_restarted_since_is_not_stopped() {
  database
  process=7
  as_root() { case "$1" in sed) echo "$process" ;; *) echo "$*" >>"$work/root"; listening=1 right=t ;; esac; }
  find_server
  process=8
  stop_system
  [ "$(cat "$work/root")" = "pg_ctlcluster 15 main start" ]
}

test_only_databases_of_ours_are_dropped() {
  database; right=shop
  ask() { echo "$*" >>"$work/root"; }
  ! (DATABASE_URL=postgres://127.0.0.1/shop drop shop) && nothing_done_as_root
}

test_a_database_url_is_read_in_all_its_parts() {
  database
  [ "$(database_of 'postgres://u:p@h:1/a%2Fb?x=y')" = a/b ]
  [ "$(url_with_database 'postgres://u:p@h:1/old?x=y' new)" = 'postgres://u:p@h:1/new?x=y' ]
  [ "$(url_with_database 'postgres://h' new)" = postgres://h/new ]
}

# --- the GOST engine ------------------------------------------------------------------------------------------------------

gost() {
  machine gost
  engine='' installed=''
  has_engine() { [ -n "$engine" ]; }
  install_package() { installed="$installed $1"; [ "$1" != "$PACKAGE" ] || engine=1; }
}

test_a_gost_engine_that_is_there_is_used() {
  gost; engine=1
  check
  [ -z "$installed" ]
}

test_a_missing_gost_engine_is_installed() {
  gost
  check
  [ "$installed" = " libengine-gost-openssl" ]
}

test_where_no_gost_engine_can_be_installed_it_is_said() {
  gost
  have() { [ "$1" = openssl ]; }
  if said=$(check 2>&1); then return 1; fi
  case "$said" in *libengine-gost-openssl*) ;; *) return 1 ;; esac
  nothing_done_as_root
}

main
