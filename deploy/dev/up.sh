#!/usr/bin/env bash
# Sets up everything, starts all services and the emulator, sends a sample order through both webhooks and shows its way.
# Started again while it runs, it starts everything anew. down.sh stops it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"
. "$(dirname "$0")/services.sh"
cd "$ROOT" || exit
export SQLX_OFFLINE=true
mkdir -p "$RUN"

main() {
  local began=$SECONDS name
  set_up
  stop_services
  choose_ports
  write_settings
  trap 'stop_services' EXIT
  for name in $SERVICES; do start "$name"; done
  for name in $SERVICES; do wait_ready "$name"; done
  trap - EXIT
  make_admin
  say "Everything runs after $((SECONDS - began)) s."
  deploy/dev/order.sh || say "The sample order did not come through; the logs are in $RUN. Everything goes on running."
  show_addresses
}

# The broker and the database come up while the services are built.
set_up() {
  local broker database
  deploy/dev/gost.sh check
  deploy/dev/xmllint.sh check
  deploy/dev/broker.sh use parom >"$RUN/broker.env" &
  broker=$!
  deploy/dev/database.sh use parom >"$RUN/database.env" &
  database=$!
  say "Building the services (profile $PROFILE)."
  # shellcheck disable=SC2046,SC2086 # a list of words
  phase "build" cargo build --quiet --profile "$PROFILE" $(printf -- '-p %s ' $SERVICES) --bins || die "The build failed."
  wait "$broker" || die "There is no broker."
  wait "$database" || die "There is no database."
  eval "$(cat "$RUN/broker.env" "$RUN/database.env")"
}

# The usual port, or a free one where somebody else listens.
choose_ports() {
  local name port
  for name in $SERVICES; do
    port=$(usual_port "$name")
    if listens 127.0.0.1 "$port"; then
      say "Port $port is in use by something else, so $name gets another."
      port=$(free_port)
    fi
    echo "$port" >"$RUN/$name.port"
  done
}

# The demonstration's configuration, with the ports of this start.
write_settings() {
  sed "s/127\.0\.0\.1:$(usual_port emulator)/127.0.0.1:$(port_of emulator)/g" deploy/demo/bitrix.toml >"$RUN/bitrix.toml"
}

start() {
  local name=$1
  set -m
  (
    HTTP_LISTEN=127.0.0.1:$(port_of "$name")
    export HTTP_LISTEN LOG=${LOG:-info}
    own_settings "$name"
    exec nohup "$TARGET/$name"
  ) >"$RUN/$name.log" 2>&1 </dev/null &
  set +m
  echo $! >"$RUN/$name.pid"
}

wait_ready() {
  wait_until 60 ready_or_gone "$1" || true
  if ! runs "$1" || ! ready "$1"; then
    tail -n 20 "$RUN/$1.log" >&2
    die "$1 did not become ready; the end of its log, $RUN/$1.log, stands above."
  fi
  say "$1 is ready at $(url_of "$1")."
}
ready_or_gone() { gone "$(pid_of "$1")" || ready "$1"; }
ready() { http GET "$(port_of "$1")" "$(ready_path "$1")" >/dev/null; }

# Somebody who may sign in at the pages of admin. The password stays the same from start to start.
make_admin() {
  runs admin || return 0
  local file=$RUN/admin.password
  [ ! -f "$file" ] || return 0
  (umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$file")
  if ! "$TARGET/paromctl" user put admin --role admin <"$file"; then
    rm -f "$file"
    die "The admin's login was not made."
  fi
}

show_addresses() {
  local name
  if runs admin; then
    printf '\n%-50s %s\n' "Every order's way, and what is stuck:" "$(url_of admin)/"
    printf '%-50s %s\n' "  login and password:" "admin  $(cat "$RUN/admin.password")"
  fi
  if runs marking; then
    printf '\n%-50s %s\n' "The storekeeper's page:" "$(url_of marking)/"
    printf '%-50s %s\n' "  key:" "storekeeper-demo-key"
  fi
  cat <<TEXT

The emulator's books (orders, receipts, answers):  $(url_of emulator)/
Webhooks of a Bitrix24 portal, to be POSTed to:     $(url_of ingress)/webhooks/bitrix24
Snapshots of the site module, to be POSTed to:      $(url_of ingress)/webhooks/site
TEXT
  for name in $SERVICES; do
    [ "$name" = emulator ] || printf '%-50s %s\n' "Metrics of $name:" "$(url_of "$name")/metrics"
  done
  cat <<TEXT
Logs, one file for each service:                   $RUN/
Another order:                                     deploy/dev/order.sh
Stop everything:                                   make down
TEXT
}

main "$@"
