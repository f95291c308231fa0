# shellcheck shell=bash
# What `make up` runs, in one place. A new service is a word in SERVICES, a line in usual_port and, if it needs more than
# every service does, a line in own_settings.

# In the order of starting; the emulator stands for the outside systems. Fewer of them: make up SERVICES='emulator ingress'.
SERVICES=${SERVICES:-emulator ingress fiscal status loyalty admin}

RUN=$DEV/run
# `make up PROFILE=release` builds optimised.
PROFILE=${PROFILE:-dev}
# shellcheck disable=SC2034 # for up.sh
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}/$(if [ "$PROFILE" = dev ]; then echo debug; else echo "$PROFILE"; fi)

usual_port() {
  case "$1" in
    emulator) echo 8090 ;;
    ingress) echo 8081 ;;
    fiscal) echo 8082 ;;
    status) echo 8083 ;;
    loyalty) echo 8084 ;;
    admin) echo 8089 ;;
  esac
}

# What only service $1 is told; what all are told stands in `start` of up.sh. A service refuses settings it does not know.
own_settings() {
  case "$1" in
    emulator)
      EMULATOR_LISTEN=127.0.0.1:$(port_of emulator)
      EMULATOR_BITRIX_WEBHOOK_URL=$(url_of ingress)/webhooks/bitrix24
      EMULATOR_CLOUDKASSIR_CALLBACK_URL=$(url_of fiscal)/callbacks/cloudkassir
      export EMULATOR_LISTEN EMULATOR_BITRIX_WEBHOOK_URL EMULATOR_CLOUDKASSIR_CALLBACK_URL
      ;;
    fiscal)
      CLOUDKASSIR_BASE_URL=$(url_of emulator)/cloudkassir
      # The emulated register is quick, and somebody is watching.
      export CLOUDKASSIR_POLL=500ms
      export CLOUDKASSIR_BASE_URL FISCAL_SHOPS_FILE=$ROOT/deploy/demo/fiscal.toml
      ;;
    loyalty)
      export LOYALTY_FILE=$ROOT/deploy/demo/loyalty.toml
      ;;
    admin)
      ADMIN_PUBLIC_URL=$(url_of admin)
      ADMIN_SERVICES=$(watched)
      export ADMIN_PUBLIC_URL ADMIN_SERVICES
      ;;
    ingress | status)
      export BITRIX_SHOPS_FILE=$RUN/bitrix.toml
      ;;
  esac
}

# The services whose metrics admin reads, as name=address.
watched() {
  local name all=''
  for name in $SERVICES; do
    case "$name" in emulator | admin) ;; *) all=$all${all:+,}$name=$(url_of "$name") ;; esac
  done
  echo "$all"
}

# Where service $1 says that it is ready.
ready_path() { if [ "$1" = emulator ]; then echo /; else echo /readyz; fi; }

port_of() { line_of "$RUN/$1.port"; }
url_of() { echo "http://127.0.0.1:$(port_of "$1")"; }
pid_of() { line_of "$RUN/$1.pid"; }
runs() { is_process "$(pid_of "$1")" "/$1"; }

# Stops what an earlier `make up` started, all at once: each finishes what it has in hand, for at most 30 s.
stop_services() {
  local name stopping=''
  for name in $SERVICES; do
    if runs "$name"; then
      stopping="$stopping $name"
      kill -TERM "$(pid_of "$name")" 2>/dev/null || true
    fi
  done
  [ -z "$stopping" ] || say "Stopping$stopping."
  for name in $stopping; do end_process "$(pid_of "$name")" 30; done
  for name in $SERVICES; do rm -f "$RUN/$name.pid"; done
}
