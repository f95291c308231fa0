#!/usr/bin/env bash
# Every test, against a real broker and a real database. Closes with a line "N passed, N failed".
#
#   test.sh                     everything: unit, story, broker and end-to-end tests, the examples in the docs, the scripts
#   test.sh ARGUMENT…           the tests that these arguments of `cargo nextest run` choose
#
# NEXTEST_PROFILE chooses a profile of .config/nextest.toml.
. "$(dirname "$0")/lib.sh"
here=$ROOT/deploy/dev
cd "$ROOT"

# The first call goes back through with.sh, which makes the virtual host and the database and deletes them.
if [ "${1:-}" != --inside ]; then
  path=$("$here/tools.sh" nextest)
  eval "$path"
  "$here/gost.sh" check
  "$here/xmllint.sh" check
  exec "$here/with.sh" "$here/test.sh" --inside "$@"
fi
shift

# Queries are checked against .sqlx, not against the database of this run, which has no tables yet.
export SQLX_OFFLINE=true
profile=${NEXTEST_PROFILE:-default}
# Named packages are enough; nextest would take --workspace for all.
whole=--workspace
case " $* " in *' -p '* | *' -p='* | *' --package'*) whole= ;; esac
junit=${CARGO_TARGET_DIR:-target}/nextest/$profile/junit.xml
examples=$DEV/examples.log
passed=0 failed=0 code=0

main() {
  rm -f "$junit" "$examples"
  phase "building the tests" cargo nextest run $whole --profile "$profile" --no-run "$@" || { failed=1 code=1; close; }
  phase "tests" cargo nextest run $whole --profile "$profile" "$@" || code=1
  count_tests
  if [ $# = 0 ]; then
    phase "examples in the docs" run_examples || code=1
    count_examples
    phase "scripts" run_scripts || code=1
  fi
  close
}

# shellcheck disable=SC2317 # called through phase
run_examples() { cargo test --workspace --doc --quiet 2>&1 | tee "$examples"; }

# shellcheck disable=SC2317 # called through phase
run_scripts() {
  local sums ok=0
  "$here/tests.sh" >"$DEV/scripts.log" 2>&1 || { ok=1; cat "$DEV/scripts.log" >&2; }
  sums=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$DEV/scripts.log")
  passed=$((passed + ${sums% *}))
  failed=$((failed + ${sums#* }))
  return "$ok"
}

# The report's first element sums all: <testsuites tests="12" failures="0" errors="0" …>.
count_tests() {
  local head
  head=$(grep -m 1 '<testsuites ' "$junit" 2>/dev/null) || { failed=$((failed + 1)) code=1; return; }
  attribute() { printf '%s\n' "$head" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
  failed=$((failed + $(attribute failures) + $(attribute errors)))
  passed=$((passed + $(attribute tests) - failed))
}

# "test result: ok. 3 passed; 0 failed; …", one for each crate. None at all means that they did not build.
count_examples() {
  local sums
  sums=$(sed -n 's/^test result:.* \([0-9]*\) passed; \([0-9]*\) failed;.*/\1 \2/p' "$examples" |
    awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
  passed=$((passed + ${sums% *}))
  failed=$((failed + ${sums#* }))
}

close() {
  # A run that went wrong before any test could fail is a failure all the same.
  [ "$code" = 0 ] || [ "$failed" != 0 ] || failed=1
  printf '%d passed, %d failed\n' "$passed" "$failed" | tee "$DEV/test-count"
  exit "$code"
}

main "$@"
