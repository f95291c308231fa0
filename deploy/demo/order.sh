#!/usr/bin/env bash
# Sends a sample order through both webhooks and shows how far each has come, with times.
#
#   order.sh HOST:PORT URL      of the emulator, and of ingress as the emulator reaches it
export PAROM_DEV=${PAROM_DEV:-/tmp/parom}
. "$(dirname "$0")/../dev/lib.sh"
. "$(dirname "$0")/../dev/http.sh"
emulator=$1
ingress=$2
. "$(dirname "$0")/../dev/sample.sh"
follow_both
