# shellcheck shell=bash
# What the scripts in this folder share. Bash 3.2 is enough: it is what macOS ships.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Everything these scripts make lies here. Another folder gives a separate set of private instances.
DEV=${PAROM_DEV:-$ROOT/.dev}
mkdir -p "$DEV"
DEV=$(cd "$DEV" && pwd)

# Talk goes to stderr: stdout is for what a caller evaluates.
say() { printf 'parom: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command and says how long it took: phase NAME COMMAND ARGUMENT…
phase() {
  local name=$1 began=$SECONDS code=0
  shift
  "$@" || code=$?
  say "$name: $((SECONDS - began)) s$([ "$code" = 0 ] || echo ", FAILED")"
  return "$code"
}

# A shell assignment that survives `eval`, whatever the value holds.
export_line() { printf 'export %s=%q\n' "$1" "$2"; }

# True when something listens on host $1, port $2.
listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# A port on which nothing listens now, away from the ports that systems hand out to outgoing calls.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    listens 127.0.0.1 "$port" || { echo "$port"; return; }
  done
}

# Runs a condition ten times a second until it holds; fails after $1 seconds.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

alive() { [ -n "${1:-}" ] && kill -0 "$1" 2>/dev/null; }
gone() { ! alive "$1"; }

# The first line of a file, or nothing.
line_of() { [ ! -f "$1" ] || head -n 1 "$1"; }

# True when process $1 lives and its command line holds $2, so that a reused number is never mistaken for ours.
is_process() { alive "$1" && command_of "$1" | grep -qF -- "$2"; }
command_of() { if [ -r "/proc/$1/cmdline" ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -p "$1" -o command=; fi; }

# Ends process $1: a polite signal, and after $2 seconds the hard one.
end_process() {
  kill -TERM "$1" 2>/dev/null || return 0
  wait_until "$2" gone "$1" || kill -KILL "$1" 2>/dev/null || true
}

# Root's rights without a question, for what we could also do without.
quiet_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Installs $1 (apt's name) or $2 (brew's name); $3 says what to do where neither exists.
install_package() {
  if have apt-get && { [ "$(id -u)" = 0 ] || have sudo; }; then
    say "Installing the package $1 with apt-get. Its system service is not started by this."
    lock packages
    apt_without_services "$1"
    unlock packages
  elif have brew; then
    say "Installing $2 with brew. Its background service is not started by this."
    lock packages
    brew install "$2" >&2
    unlock packages
  else
    die "$3"
  fi
}

# A newcomer's machine gets the programs, not daemons nobody asked for: apt asks policy-rc.d before it starts one.
apt_without_services() {
  local policy=/usr/sbin/policy-rc.d ours=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    ours=$policy
  fi
  as_root apt-get update -q >"$DEV/apt.log" 2>&1 || say "apt-get update failed; trying with the lists there are."
  local ok=0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" \
    >>"$DEV/apt.log" 2>&1 || ok=1
  [ -z "$ours" ] || as_root rm -f "$ours"
  [ "$ok" = 0 ] || { tail -n 5 "$DEV/apt.log" >&2; die "apt-get could not install $1; $DEV/apt.log has it all."; }
}

# One process at a time starts or stops what $1 names. The holder's number is kept so that a dead one does not block.
LOCKS=
lock() {
  local holder folder=$DEV/$1.lock
  until mkdir "$folder" 2>/dev/null; do
    holder=$(line_of "$folder/pid")
    if [ -n "$holder" ] && gone "$holder"; then rm -rf "$folder"; fi
    sleep 0.1
  done
  echo $$ >"$folder/pid"
  LOCKS="$LOCKS $1"
  trap 'for name in $LOCKS; do unlock "$name"; done' EXIT
}
unlock() { rm -rf "${DEV:?}/$1.lock"; }

# Percent-decoding of a part of a URL.
url_decode() { printf '%b' "${1//%/\\x}"; }
