# shellcheck shell=bash
# A RabbitMQ of our own under $HOME_DIR: own node name, name server, ports, data, log, plugins and cookie, so that it
# meets no other on the machine. Sourced by broker.sh.

private() {
  if private_lives; then
    # It may be starting, or busy. A second one over the same data would be the end of both.
    wait_until 60 private_runs || die "The private RabbitMQ, process $(line_of "$HOME_DIR/pid"), does not answer; its log is in $HOME_DIR/log."
  else
    start_private
  fi
  # shellcheck disable=SC2034 # what broker.sh asked for
  SERVER=amqp://guest:guest@127.0.0.1:$(line_of "$HOME_DIR/port")
  say "Using the private RabbitMQ at port $(line_of "$HOME_DIR/port"), data in $HOME_DIR."
}

private_lives() { is_process "$(line_of "$HOME_DIR/pid")" "$HOME_DIR"; }
private_runs() { private_lives && amqp_open 127.0.0.1 "$(line_of "$HOME_DIR/port")" guest guest / >/dev/null; }

# True when the parsed URL is the private broker's.
is_private() { [ "$HOST" = 127.0.0.1 ] && [ "$PORT" = "$(line_of "$HOME_DIR/port")" ]; }

start_private() {
  SBIN=$(find_sbin) || { install_package rabbitmq-server rabbitmq "$WHAT_TO_DO"; SBIN=$(find_sbin) || die "$WHAT_TO_DO"; }
  mkdir -p "$HOME_DIR/data" "$HOME_DIR/log"
  choose_ports
  write_config
  rm -f "$HOME_DIR/pid"
  say "Starting a private RabbitMQ at port $(line_of "$HOME_DIR/port"); its log is in $HOME_DIR/log."
  local began=$SECONDS
  set -m
  private_tool rabbitmq-server >"$HOME_DIR/log/start.log" 2>&1 </dev/null &
  set +m
  local starter=$!
  wait_until 90 private_started "$starter" || true
  private_runs || { tail -n 20 "$HOME_DIR/log/start.log" >&2; die "The private RabbitMQ did not start."; }
  say "RabbitMQ $(amqp_open 127.0.0.1 "$(line_of "$HOME_DIR/port")" guest guest /) answers after $((SECONDS - began)) s."
}

# It runs, or its starter gave up.
private_started() { gone "$1" || private_runs; }

stop_private() {
  local pid
  pid=$(line_of "$HOME_DIR/pid")
  if private_lives; then
    say "Stopping the private RabbitMQ."
    end_process "$pid" 30
  fi
  rm -f "$HOME_DIR/pid"
  ! have epmd || ERL_EPMD_PORT=$(line_of "$HOME_DIR/epmd-port") epmd -kill >/dev/null 2>&1 || true
}

# Ports stay the same from run to run, unless somebody took one meanwhile.
choose_ports() {
  local name
  for name in port dist-port epmd-port; do
    if [ ! -s "$HOME_DIR/$name" ] || { [ $name != epmd-port ] && listens 127.0.0.1 "$(line_of "$HOME_DIR/$name")"; }; then
      free_port >"$HOME_DIR/$name"
    fi
  done
}

write_config() {
  printf 'listeners.tcp.local = 127.0.0.1:%s\n' "$(line_of "$HOME_DIR/port")" >"$HOME_DIR/rabbitmq.conf"
  echo '[].' >"$HOME_DIR/enabled_plugins"
  : >"$HOME_DIR/rabbitmq-env.conf"
}

# Runs one of RabbitMQ's programs for the private node, whoever we are.
private_tool() (
  cd "$HOME_DIR" || exit
  export HOME=$HOME_DIR
  export RABBITMQ_NODENAME=parom@localhost
  export RABBITMQ_CONF_ENV_FILE=$HOME_DIR/rabbitmq-env.conf
  export RABBITMQ_CONFIG_FILE=$HOME_DIR/rabbitmq.conf
  export RABBITMQ_GENERATED_CONFIG_DIR=$HOME_DIR/generated
  export RABBITMQ_ENABLED_PLUGINS_FILE=$HOME_DIR/enabled_plugins
  export RABBITMQ_MNESIA_BASE=$HOME_DIR/data
  export RABBITMQ_LOG_BASE=$HOME_DIR/log
  export RABBITMQ_PID_FILE=$HOME_DIR/pid
  RABBITMQ_DIST_PORT=$(line_of "$HOME_DIR/dist-port")
  ERL_EPMD_PORT=$(line_of "$HOME_DIR/epmd-port")
  export RABBITMQ_DIST_PORT ERL_EPMD_PORT
  export ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
  tool=$1
  shift
  exec "${SBIN:-$(find_sbin)}/$tool" "$@"
)

# The folder with RabbitMQ's own programs. Debian's /usr/sbin holds wrappers that insist on root and the system's node.
find_sbin() {
  local folder found=
  for folder in /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin /opt/rabbitmq/sbin /opt/rabbitmq_server-*/sbin \
    /opt/homebrew/opt/rabbitmq/sbin /usr/local/opt/rabbitmq/sbin; do
    [ ! -x "$folder/rabbitmq-server" ] || found=$folder
  done
  if [ -z "$found" ] && have rabbitmq-server; then found=$(dirname "$(command -v rabbitmq-server)"); fi
  [ -n "$found" ] && echo "$found"
}
