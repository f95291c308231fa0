#!/usr/bin/env bash
# shellcheck disable=SC2317 # called through await
# Sends a sample order through both webhooks of a running `make up` and shows how far each has come, with times.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"
. "$(dirname "$0")/services.sh"
. "$(dirname "$0")/sample.sh"

for name in emulator ingress; do
  runs $name || die "$name does not run; make up starts it."
done
emulator=127.0.0.1:$(port_of emulator)
ingress=$(url_of ingress)

# A marked piece: its code comes from a supplier's file, is scanned, and leaves circulation when the order does.
follow_marked() {
  local began marking ki
  began=$(now_ms) marking=$(port_of marking)
  # A code is sold once, so each order has its own.
  ki=010465382092308821$(printf '%013d' "$order")
  printf '\nA marked product, from the supplier'"'"'s file to its withdrawal (order %s)\n' "$order"
  await "$began" "the supplier's code is in stock" import_code &&
    send_marked 2 false null >/dev/null &&
    await "$began" "a code is set aside for the order" code_stands '"codes":1' &&
    await "$began" "the storekeeper has scanned the piece" scan_code &&
    send_marked 3 true "\"$(date -u +%Y-%m-%dT%H:%M:%S+00:00)\"" >/dev/null &&
    await "$began" "the order has left, and the register has the code out of circulation" code_retired &&
    await "$began" "our stock says so too" code_stands '"status":"sold"' || ok=1
  order=$((order + 1))
}

desk() { http "$1" "$marking" "$2" "${3:-}" "X-API-Key: storekeeper-demo-key"; }
import_code() {
  http PUT "$emulator" /_gismt/codes "[{\"cis\":\"$ki\"}]" >/dev/null && desk POST "/imports?name=demo.csv" "code"$'\n'"$ki"$'\n' >/dev/null
}
send_marked() {
  local snapshot
  snapshot=$(sample order-marked.json | sed "s/VERSION/$1/g; s/DEDUCTED/$2/g; s/LEFT_AT/$3/g")
  http POST "$emulator" /_site/send "{\"ingress\":\"$ingress/webhooks/site\",\"snapshot\":$snapshot}"
}
scan_code() { desk POST "/orders/$order/scans" "{\"shop\":\"demo-site\",\"site\":true,\"code\":\"$ki\"}" >/dev/null; }
code_stands() { desk GET "/orders/$order?shop=demo-site&site=true" | grep -q "$1"; }
code_retired() { http GET "$emulator" "/_books/gismt/codes/$ki" | grep -q '"RETIRED"'; }

# A company's order: its UPD is signed and sent when the goods leave, and followed to the buyer's signature.
follow_wholesale() {
  local began
  began=$(now_ms)
  printf '\nA company'"'"'s order, from the shipment to both signatures (order %s)\n' "$order"
  await "$began" "the buyer is at Diadoc" buyer_known &&
    send_wholesale >/dev/null &&
    await "$began" "the UPD is written, signed and at Diadoc" upd_stands "\"number\":\"$order\"" &&
    await "$began" "the buyer has signed it, and the order says so" order_signed || ok=1
  order=$((order + 1))
}

buyer_known() {
  http PUT "$emulator" /_diadoc/buyers '[{"inn":"7700000023","kpp":"773601001","box_id":"13254c42-b4f7-4fd3-b324-0094aeb0f15a",
    "participant":"2BM-7700000023-773601001-000000000000000000002","answers":"signs"}]' >/dev/null
}
send_wholesale() { http PUT "$emulator" "/_bitrix/orders/$order?notify=1" "$(sample order-wholesale.json)"; }
upd_stands() { http GET "$emulator" /_books/diadoc | grep -q "$1"; }
order_signed() { http GET "$emulator" "/_books/bitrix/$order" | grep -q '"status":"DS"'; }

follow_both || ok=1
! runs marking || follow_marked
! runs edo || follow_wholesale
exit "$ok"
