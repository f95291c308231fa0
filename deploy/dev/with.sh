#!/usr/bin/env bash
# Runs a command with a broker and a database of its own, and deletes both at the end however it ends.
#
#   with.sh COMMAND ARGUMENT…
#
# The broker is a new and empty one, private to this run: hundreds of queues are declared and deleted at once, which slows
# whoever else uses the broker, and one that others have filled or broken would fail tests that are right. AMQP_URL, when
# set, is used instead, with a virtual host of its own.
# The command sees AMQP_URL, AMQP_PREFIX and DATABASE_URL. Databases it makes itself should have names that begin with the
# given one's and an underscore: they are deleted too.
. "$(dirname "$0")/lib.sh"
here=$ROOT/deploy/dev
name=parom_test_$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')

end_broker() {
  if PAROM_DEV=$1 "$here/broker.sh" stop; then rm -rf "$1"; else say "The broker in $1 stays behind."; fi
}

# A run that was killed could not clean up.
end_orphans() {
  local folder
  for folder in "$DEV"/parom_test_*/; do
    folder=${folder%/}
    if [ -f "$folder/owner" ] && gone "$(line_of "$folder/owner")"; then end_broker "$folder"; fi
  done
}

clean_up() {
  local code=$?
  trap '' INT TERM
  if [ -n "${PRIVATE_DEV:-}" ]; then
    end_broker "$PRIVATE_DEV"
  elif [ -n "${AMQP_PREFIX_MADE:-}" ]; then
    "$here/broker.sh" drop "$name" || say "The virtual host $name stays behind."
  fi
  [ -z "${DATABASE_MADE:-}" ] || "$here/database.sh" drop "$name" || say "The database $name stays behind."
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

exports=$("$here/database.sh" use "$name")
eval "$exports"
DATABASE_MADE=1
if [ -z "${AMQP_URL:-}" ]; then
  end_orphans
  PRIVATE_DEV=$DEV/$name
  mkdir -p "$PRIVATE_DEV"
  echo $$ >"$PRIVATE_DEV/owner"
  exports=$(PAROM_DEV=$PRIVATE_DEV PAROM_PRIVATE=1 "$here/broker.sh" use "$name")
else
  exports=$("$here/broker.sh" use "$name")
fi
eval "$exports"
AMQP_PREFIX_MADE=1

"$@"
