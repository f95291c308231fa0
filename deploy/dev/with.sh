#!/usr/bin/env bash
# Runs a command with a virtual host and a database of its own, and deletes both at the end however it ends.
#
#   with.sh COMMAND ARGUMENT…
#
# The command sees AMQP_URL, AMQP_PREFIX and DATABASE_URL. Databases it makes itself should have names that begin with the
# given one's and an underscore: they are deleted too.
. "$(dirname "$0")/lib.sh"
here=$ROOT/deploy/dev
name=parom_test_$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')

clean_up() {
  local code=$?
  trap '' INT TERM
  [ -z "${AMQP_PREFIX_MADE:-}" ] || "$here/broker.sh" drop "$name" || say "The virtual host $name stays behind."
  [ -z "${DATABASE_MADE:-}" ] || "$here/database.sh" drop "$name" || say "The database $name stays behind."
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

exports=$("$here/database.sh" use "$name")
eval "$exports"
DATABASE_MADE=1
exports=$("$here/broker.sh" use "$name")
eval "$exports"
AMQP_PREFIX_MADE=1

"$@"
