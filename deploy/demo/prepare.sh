#!/usr/bin/env bash
# In the demonstration's image: the settings with the names of its network, and a key to sign with.
#
#   prepare.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
for file in bitrix fiscal loyalty marking egais edo; do
  sed 's#http://127\.0\.0\.1:8090#http://emulator:8090#g' "$here/$file.toml" >"$folder/$file.toml"
done
PAROM_DEV=/tmp/dev "$here/../dev/gost.sh" pair "$folder/gost" 7708806062
PAROM_DEV=/tmp/dev "$here/../dev/gost.sh" pair "$folder/gost-edo" 7700000016
