#!/usr/bin/env bash
# In the demonstration's image: somebody who may sign in at the pages of admin.
set -euo pipefail
printf demonstration | paromctl user put admin --role admin
echo "Sign in at http://127.0.0.1:8089 as admin with the password: demonstration"
