# shellcheck shell=bash
# Plain HTTP to services, by default on this machine, without any tool that a fresh machine may lack.

# http METHOD [HOST:]PORT PATH [BODY [HEADER]]: prints the answer's body; succeeds on 2xx.
http() (
  LC_ALL=C
  body=${4:-} header=${5:-}
  case "$2" in *:*) host=${2%:*} ;; *) host=127.0.0.1 ;; esac
  port=${2##*:}
  exec 4<>"/dev/tcp/$host/$port" || exit 1
  # Version 1.0, so that the answer comes in one piece and ends with the connection.
  printf '%s %s HTTP/1.0\r\nHost: %s:%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s' \
    "$1" "$3" "$host" "$port" "${#body}" "${header:+$header$'\r\n'}" "$body" >&4
  answer=$(cat <&4)
  printf '%s' "${answer#*$'\r\n\r\n'}"
  case "$answer" in "HTTP/1."?" 2"*) ;; *) exit 1 ;; esac
) 2>/dev/null

# Milliseconds of a clock that only serves to measure.
now_ms() {
  if [ -n "${EPOCHREALTIME:-}" ]; then
    local micros=${EPOCHREALTIME/[.,]/}
    echo "${micros%???}"
  else
    perl -MTime::HiRes=time -e 'printf "%d\n", time * 1000'
  fi
}
seconds_since() { local ms=$(($(now_ms) - $1)); printf '%d.%03d' $((ms / 1000)) $((ms % 1000)); }
