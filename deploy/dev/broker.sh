#!/usr/bin/env bash
# Finds or starts RabbitMQ and gives out a virtual host of our own on it.
#
#   broker.sh use NAME    find or start a broker, make the virtual host NAME, print AMQP_URL and AMQP_PREFIX to evaluate
#   broker.sh drop NAME   delete the virtual host NAME from the broker at AMQP_URL
#   broker.sh stop        stop the broker if one of these scripts started it
#   broker.sh pid         print the process number of the private broker
#
# Looked for in this order: AMQP_URL; the private broker if it runs; 127.0.0.1:5672; the private broker's data of an earlier
# run; the system's own, stopped; a package to install, then run privately. PAROM_PRIVATE=1 goes straight to the private one.
# A broker found running is never changed beyond the virtual host named here.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/amqp.sh"

HOME_DIR=$DEV/rabbitmq
STARTED=$DEV/rabbitmq.started
# At-least-once dead-lettering of quorum queues came with this version; without it a crash of the broker loses waiting work.
MIN_VERSION=3.10
WHAT_TO_DO="No RabbitMQ was found and there is neither apt-get (with root's rights) nor brew to install it. \
Install RabbitMQ $MIN_VERSION or newer, or set AMQP_URL=amqp://user:password@host:5672 to one that runs, and try again."

main() {
  case "${1:-}" in
    use) use "${2:?name of a virtual host}" ;;
    drop) drop "${2:?name of a virtual host}" ;;
    stop) lock rabbitmq && stop ;;
    pid) line_of "$HOME_DIR/pid" ;;
    *) die "usage: broker.sh use NAME | drop NAME | stop | pid" ;;
  esac
}

use() {
  lock rabbitmq
  find_server
  parse_url "$SERVER"
  if given_vhost "$1"; then
    say "Using the virtual host $VHOST that AMQP_URL names."
    print_exports "$SERVER" parom
  elif make_vhost "$1"; then
    print_exports "$(url_with_vhost "$1")" parom
  else
    say "No virtual host can be made on this broker, so queues go to its virtual host \"$VHOST\" with names that begin with $1."
    print_exports "$SERVER" "$1"
  fi
}

print_exports() { export_line AMQP_URL "$1"; export_line AMQP_PREFIX "$2"; }

# A test run always has a virtual host of its own; `make up` takes the one that AMQP_URL names.
given_vhost() { [ "$1" = parom ] && [ -n "${AMQP_URL:-}" ] && [ "$SERVER" = "$AMQP_URL" ] && [ "$VHOST" != / ]; }

# --- which broker -----------------------------------------------------------------------------------------------------

# Sets SERVER, the URL of a broker that answers and lets us in.
find_server() {
  local found=amqp://guest:guest@127.0.0.1:5672
  if [ "${PAROM_PRIVATE:-}" = 1 ]; then
    private
  elif [ -n "${AMQP_URL:-}" ]; then
    SERVER=$AMQP_URL
    check_given
  elif private_lives; then
    private
  elif usable "$found"; then
    SERVER=$found
    say "Using the RabbitMQ that runs at 127.0.0.1:5672; only the virtual host named here is ours."
  elif [ -d "$HOME_DIR/data" ]; then
    private
  elif start_system && usable "$found"; then
    SERVER=$found
  else
    # Started, but of no use to us.
    stop_system
    private
  fi
}

# A broker somebody named must work: going elsewhere behind his back would surprise.
check_given() {
  parse_url "$SERVER"
  if [ "$TLS" = 1 ]; then
    say "Using the RabbitMQ at $HOST:$PORT that AMQP_URL names (over TLS, so not looked at from here)."
    return
  fi
  local code=0 version
  version=$(amqp_open "$HOST" "$PORT" "$LOGIN" "$PASSWORD" "$VHOST") || code=$?
  case $code in
    0) new_enough "$version" || die "The RabbitMQ at $HOST:$PORT is $version; $MIN_VERSION or newer is needed." ;;
    1) die "Nothing listens at $HOST:$PORT, which AMQP_URL names. Start RabbitMQ there or unset AMQP_URL." ;;
    2) die "What listens at $HOST:$PORT, which AMQP_URL names, is no AMQP 0-9-1 broker." ;;
    3) die "The RabbitMQ at $HOST:$PORT refuses the login in AMQP_URL." ;;
    4) die "The RabbitMQ at $HOST:$PORT has no virtual host \"$VHOST\" for the login in AMQP_URL." ;;
  esac
  say "Using the RabbitMQ $version at $HOST:$PORT that AMQP_URL names."
}

# True when the broker at URL $1 is RabbitMQ, lets us in and is new enough.
usable() {
  local code=0 version
  parse_url "$1"
  version=$(amqp_open "$HOST" "$PORT" "$LOGIN" "$PASSWORD" "$VHOST") || code=$?
  case $code in
    0) new_enough "$version" && return
       say "The RabbitMQ at $HOST:$PORT is $version and $MIN_VERSION is needed; leaving it alone." ;;
    1) ;;
    2) say "What listens at $HOST:$PORT does not answer as a broker; leaving it alone." ;;
    *) say "The broker at $HOST:$PORT does not let in guest; leaving it alone." ;;
  esac
  return 1
}

new_enough() {
  local major=${1%%.*} rest=${1#*.}
  [ -n "$1" ] && { [ "$major" -gt 3 ] || { [ "$major" = 3 ] && [ "${rest%%.*}" -ge 10 ]; }; }
}

# --- the system's broker, installed but stopped -------------------------------------------------------------------------

# A broker that is there but does not answer is not a stopped one: it is left alone, and nothing is started beside it.
start_system() {
  quiet_root && have ps || return 1
  [ -z "$(servers)" ] && ! listens 127.0.0.1 5672 || return 1
  if under_systemd; then
    run_as_root systemctl start rabbitmq-server || return 1
  elif [ -x /usr/sbin/rabbitmq-server ] && [ ! -d /run/systemd/system ]; then
    run_as_root /usr/sbin/rabbitmq-server -detached || return 1
  else
    return 1
  fi
  wait_until 60 listens 127.0.0.1 5672 || true
  servers | head -n 1 >"$STARTED"
  listens 127.0.0.1 5672
}

# Stops the very process that start_system started, and no other that took its place.
stop_system() {
  local pid
  pid=$(line_of "$STARTED")
  rm -f "$STARTED"
  [ -n "$pid" ] && servers | grep -qx "$pid" || return 0
  say "Stopping the system's RabbitMQ, process $pid, which was started from here."
  if under_systemd; then run_as_root systemctl stop rabbitmq-server; else run_as_root kill -TERM "$pid"; fi ||
    say "It did not stop; see $DEV/rabbitmq-start.log."
}

# The numbers of all processes that are RabbitMQ servers, well or not.
servers() { ps -A -o pid= -o args= | awk '/-s rabbit boot/ && !/awk/ { print $1 }'; }
under_systemd() { [ -d /run/systemd/system ] && systemctl cat rabbitmq-server >/dev/null 2>&1; }
run_as_root() {
  say "As root: $*"
  as_root "$@" >>"$DEV/rabbitmq-start.log" 2>&1
}

stop() {
  stop_system
  stop_private
}

# --- a broker of our own ------------------------------------------------------------------------------------------------

. "$(dirname "${BASH_SOURCE[0]}")/broker-private.sh"

# --- virtual hosts ------------------------------------------------------------------------------------------------------

# Makes the virtual host $1 on the parsed broker, open to its login. Cheap when it is there already.
make_vhost() {
  [ "$TLS" = 1 ] || ! amqp_open "$HOST" "$PORT" "$LOGIN" "$PASSWORD" "$1" >/dev/null || return 0
  if ctl_reaches; then
    say "Making the virtual host $1 with rabbitmqctl."
    ctl add_vhost "$1" >/dev/null && ctl set_permissions -p "$1" "$LOGIN" '.*' '.*' '.*' >/dev/null
  elif api_reaches; then
    say "Making the virtual host $1 over the management interface at $HOST:15672."
    api PUT "vhosts/$1" '{}' && api PUT "permissions/$1/$LOGIN" '{"configure":".*","write":".*","read":".*"}'
  else
    return 1
  fi
}

drop() {
  case "$1" in parom*) ;; *) die "Only virtual hosts whose name begins with parom are ours to delete." ;; esac
  parse_url "${AMQP_URL:?the URL that \`use\` printed}"
  if [ "$VHOST" != "$1" ]; then
    say "The run had no virtual host of its own; what is left of it are queues whose names begin with $1."
  elif ctl_reaches; then
    ctl delete_vhost "$1" >/dev/null
  else
    api DELETE "vhosts/$1"
  fi
}

# rabbitmqctl talks to a node, not to a port: it serves us only when that node is the one that listens on our port.
ctl_reaches() {
  is_private && return
  case "$HOST" in 127.0.0.1 | localhost | ::1) ;; *) return 1 ;; esac
  have rabbitmq-diagnostics && rabbitmq-diagnostics -q listeners 2>/dev/null | grep -q "port: $PORT,"
}

ctl() { if is_private; then private_tool rabbitmqctl -q "$@"; else rabbitmqctl -q "$@"; fi; }

# The management interface, on its standard port. The password goes through stdin: arguments are seen by everyone.
api_reaches() { have curl && api GET overview 2>/dev/null; }
api() {
  printf 'user = "%s:%s"\n' "$LOGIN" "$PASSWORD" | curl -fsS -K - --max-time 10 -o /dev/null -X "$1" \
    -H 'content-type: application/json' ${3:+-d "$3"} "http://$HOST:15672/api/$2"
}

# --- amqp://login:password@host:port/vhost ------------------------------------------------------------------------------

# Sets TLS, AUTHORITY, LOGIN, PASSWORD, HOST, PORT, VHOST and QUERY from URL $1.
parse_url() {
  local rest=${1#*://} account
  TLS=0 PORT=5672 LOGIN=guest PASSWORD=guest VHOST=/ QUERY=
  case "$1" in amqps://*) TLS=1 PORT=5671 ;; amqp://*) ;; *) die "An AMQP URL begins with amqp:// or amqps://." ;; esac
  case "$rest" in *\?*) QUERY="?${rest#*\?}" rest=${rest%%\?*} ;; esac
  case "$rest" in */?*) VHOST=$(url_decode "${rest#*/}") ;; esac
  AUTHORITY=${1%%://*}://${rest%%/*}
  rest=${rest%%/*}
  case "$rest" in
    *@*)
      account=${rest%@*} rest=${rest##*@}
      LOGIN=$(url_decode "${account%%:*}")
      case "$account" in *:*) PASSWORD=$(url_decode "${account#*:}") ;; esac
      ;;
  esac
  case "$rest" in
    \[*\]:*) PORT=${rest##*:} HOST=${rest%:*} ;;
    \[*) HOST=$rest ;;
    *:*) PORT=${rest##*:} HOST=${rest%:*} ;;
    *) HOST=$rest ;;
  esac
  HOST=${HOST#\[} HOST=${HOST%\]}
}

url_with_vhost() { echo "$AUTHORITY/$1$QUERY"; }

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
