# shellcheck shell=bash disable=SC2154 # the caller sets emulator and ingress
# A sample order through both webhooks. Who calls says where the emulator is ($emulator, host:port) and where ingress is, as the
# emulator reaches it ($ingress, a URL), and then follow_both.

# A number no earlier order has: what Parom has already done once it does not do again.
order=$(date +%s)
ok=0

follow_both() {
  follow portal "An order in Bitrix24, told by its outgoing webhook"
  follow site "An order of the site, sent by its module as a signed snapshot"
  return "$ok"
}

# Shows the way of order $order of shop $1, under the heading $2.
follow() {
  local began
  printf '\n%s (order %s)\n' "$2" "$order"
  began=$(now_ms)
  answer=$("send_$1") || true
  case "$answer" in
    *'"status":202'*) step "$began" "ingress has made the webhook durable and answered 202" ;;
    *) step "$began" "ingress did not answer 202: $answer"; ok=1; return ;;
  esac
  await "$began" "CloudKassir has taken the receipt" receipt_taken "$1" &&
    await "$began" "the receipt is fiscalised" receipt_fiscalised &&
    await "$began" "the fiscal data stand on the order" "written_$1" || ok=1
  order=$((order + 1))
}

step() { printf '  %8s s  %s\n' "$(seconds_since "$1")" "$2"; }
await() {
  local began=$1 what=$2
  shift 2
  if wait_until 60 "$@"; then step "$began" "$what"; else step "$began" "NOT within 60 s: $what"; return 1; fi
}

# The emulator saves the order and tells ingress as Bitrix24 does: a form with the order's id, once.
send_portal() { http PUT "$emulator" "/_bitrix/orders/$order?notify=1" "$(sample order-portal.json)"; }
send_site() {
  http POST "$emulator" /_site/send "{\"ingress\":\"$ingress/webhooks/site\",\"snapshot\":$(sample order-site.json)}"
}
sample() { sed "s/ORDER_ID/$order/g; s/SNAPSHOT_ID/$(uuid)/g; s/MOMENT/$(date -u +%Y-%m-%dT%H:%M:%S+00:00)/g" "$ROOT/deploy/demo/$1"; }
uuid() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\)$/\1-\2-4\3-8\4-\5/'; }

# A receipt's name holds shop, order and payment; in the books its positions and then its status follow.
receipt_taken() { http GET "$emulator" /_books/cloudkassir | grep -qE "$(receipt)"; }
receipt_fiscalised() { http GET "$emulator" /_books/cloudkassir | grep -qE "$(receipt)[^]]*\\][^]]*\"status\":\"Processed\""; }
receipt() { printf '"invoice_id":"[a-z0-9-]*:(site-)?%s:' "$order"; }

written_portal() { http GET "$emulator" "/_books/bitrix/$order" | grep -q '"CLOUDKASSIR_FD":"[0-9]'; }
written_site() { http GET "$emulator" /_books/site | grep -q "\"$order\":{[^{]*{[^}]*\"CLOUDKASSIR_FD\":\"[0-9]"; }
