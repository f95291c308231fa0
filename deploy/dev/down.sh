#!/usr/bin/env bash
# Stops what up.sh started, and the broker and the database if these scripts started them. Data stay in .dev/.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/services.sh"
stop_services
"$ROOT/deploy/dev/broker.sh" stop
"$ROOT/deploy/dev/database.sh" stop
say "Stopped. Queues and orders stay with the broker and the database for the next start, settings in $DEV."
