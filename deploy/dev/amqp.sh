# shellcheck shell=bash
# Enough AMQP 0-9-1 to log in and open a virtual host, so that a script knows whether the services will be able to,
# also where no tool of RabbitMQ is installed. Source: AMQP 0-9-1 specification, general frame format and class connection.

# amqp_open HOST PORT USER PASSWORD VHOST: prints the broker's version.
# Fails with 1 when nothing listens, 2 when it is no AMQP broker, 3 when it refuses the login, 4 when it refuses the virtual host.
amqp_open() (
  LC_ALL=C
  exec 3<>"/dev/tcp/$1/$2" || exit 1
  printf 'AMQP\0\0\11\1' >&3
  start=$(amqp_frame) || exit 2
  is_method "$start" 10 || exit 2
  # Start-Ok: no client properties, mechanism, NUL user NUL password, locale.
  amqp_send "0 10 0 11 0 0 0 0 5 $(bytes_of PLAIN) 0 0 0 $((${#3} + ${#4} + 2))" \
    "0 $(bytes_of "$3") 0 $(bytes_of "$4") 5 $(bytes_of en_US)"
  tune=$(amqp_frame) || exit 3
  is_method "$tune" 30 || exit 3
  # Tune-Ok takes what was offered; Open names the virtual host.
  amqp_send "0 10 0 31 ${tune#0 10 0 30 }"
  amqp_send "0 10 0 40 ${#5} $(bytes_of "$5") 0 0"
  open=$(amqp_frame) || exit 4
  is_method "$open" 41 || exit 4
  # Close with 200 and nothing to blame, so that the broker does not log a lost client.
  amqp_send "0 10 0 50 0 200 0 0 0 0 0"
  amqp_frame >/dev/null || true
  version_in "$start"
) 2>/dev/null

# The payload of the next frame, as decimal bytes.
amqp_frame() {
  local kind head size
  IFS= read -r -t 15 -n 1 -d '' -u 3 kind && [ "$kind" = $'\x01' ] || return 1
  head=$(take 6)
  # shellcheck disable=SC2086 # the bytes are words
  set -- $head
  [ $# = 6 ] || return 1
  size=$(($3 * 16777216 + $4 * 65536 + $5 * 256 + $6))
  [ "$size" -lt 65536 ] || return 1
  take "$size"
  take 1 >/dev/null
}

take() { dd bs=1 count="$1" <&3 2>/dev/null | decimal; }
bytes_of() { printf '%s' "$1" | decimal; }
decimal() { od -An -v -tu1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }

# Sends a method on channel 0; the arguments are its payload as decimal bytes.
amqp_send() {
  # shellcheck disable=SC2048,SC2086 # the bytes are words
  set -- $*
  local size=$#
  # shellcheck disable=SC2059 # the format is what is sent
  printf "$(printf '\\%03o' 1 0 0 0 0 $((size / 256)) $((size % 256)) "$@" 206)" >&3
}

# True when payload $1 is method $2 of class 10, connection.
is_method() { case "$1 " in "0 10 0 $2 "*) ;; *) return 1 ;; esac; }

# The server's properties hold the key "version" with a string behind it.
version_in() {
  local text
  # shellcheck disable=SC2059,SC2046,SC2086 # the bytes are words, and the format is the text
  text=$(printf "$(printf '\\%03o' $1)" | tr -cd '[:print:]')
  printf '%s\n' "$text" | sed -n 's/.*versionS\([0-9][0-9.]*\).*/\1/p'
}
