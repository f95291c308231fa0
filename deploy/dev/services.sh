# shellcheck shell=bash
# What `make up` runs, in one place. A new service is a word in SERVICES, a line in usual_port and, if it needs more than
# every service does, a line in own_settings.

# In the order of starting; the emulator stands for the outside systems. Fewer of them: make up SERVICES='emulator ingress'.
SERVICES=${SERVICES:-emulator ingress fiscal marking egais edo status loyalty admin}

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
    marking) echo 8085 ;;
    egais) echo 8087 ;;
    edo) echo 8086 ;;
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
    marking)
      "$ROOT/deploy/dev/gost.sh" pair "$RUN/gost" 7708806062
      GISMT_BASE_URL=$(url_of emulator)/gismt
      # The emulated register is quick, and somebody is watching.
      export MARKING_POLL=500ms MARKING_HTTPS=false MARKING_FILE=$ROOT/deploy/demo/marking.toml
      export GISMT_BASE_URL GISMT_INN=7708806062 SIGNER_KIND=gost
      export SIGNER_CERTIFICATE_PATH=$RUN/gost/certificate.pem SIGNER_KEY_PATH=$RUN/gost/key.pem
      ;;
    egais)
      # The emulated UTM is quick, and somebody is watching. It may have got another port.
      sed "s|http://127.0.0.1:8090|$(url_of emulator)|" "$ROOT/deploy/demo/egais.toml" >"$RUN/egais.toml"
      export EGAIS_FILE=$RUN/egais.toml EGAIS_POLL=500ms
      ;;
    edo)
      "$ROOT/deploy/dev/gost.sh" pair "$RUN/gost-edo" 7700000016
      DIADOC_BASE_URL=$(url_of emulator)/diadoc
      DIADOC_IDENTITY_URL=$(url_of emulator)/diadoc-identity
      export EDO_FILE=$ROOT/deploy/demo/edo.toml EDO_FEED=1s EDO_LOOK_FIRST=2s
      export DIADOC_BASE_URL DIADOC_IDENTITY_URL DIADOC_BOX_ID=db32772b-9256-49a8-a133-fda593fda38a
      export DIADOC_CLIENT_ID=parom-demo DIADOC_CLIENT_SECRET=emulator_client_secret
      export DIADOC_REFRESH_TOKEN=emulator_refresh_token SIGNER_KIND=gost
      export SIGNER_CERTIFICATE_PATH=$RUN/gost-edo/certificate.pem SIGNER_KEY_PATH=$RUN/gost-edo/key.pem
      ;;
    loyalty)
      export LOYALTY_FILE=$ROOT/deploy/demo/loyalty.toml
      ;;
    admin)
      ADMIN_PUBLIC_URL=$(url_of admin)
      ADMIN_SERVICES=$(watched)
      export ADMIN_PUBLIC_URL ADMIN_SERVICES
      case " $SERVICES " in *' loyalty '*)
        ADMIN_LOYALTY_URL=$(url_of loyalty)
        export ADMIN_LOYALTY_URL ADMIN_LOYALTY_KEY=demonstration-site-key-1
        ;;
      esac
      case " $SERVICES " in *' egais '*)
        ADMIN_EGAIS_URL=$(url_of egais)
        export ADMIN_EGAIS_URL ADMIN_EGAIS_KEY=egais-demo-key-1
        ;;
      esac
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
