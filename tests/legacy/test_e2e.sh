#!/bin/sh
# The end-to-end test of the old pair, kept as a fixture: what a client of that time does, with curl and sed. It passes on
# the old pair and, unchanged, on the services that replaced it, so it asks only what both promise.
#
# Environment: ORDER_API_URL, ORDER_PROCESSOR_URL. Takes four items of PROD001.
set -eu

API=${ORDER_API_URL:-http://localhost:8001}
PROCESSOR=${ORDER_PROCESSOR_URL:-http://localhost:8002}
STATUS= BODY= STEP= FAILED=0

# ask METHOD URL [JSON] leaves the answer in STATUS and BODY.
ask() {
    STEP="$1 ${2#http://*/}${3:+ $3}"
    if [ $# -eq 3 ]; then
        set -- "$1" "$2" -H 'Content-Type: application/json' -d "$3"
    fi
    METHOD=$1 URL=$2
    shift 2
    ANSWER=$(curl -sS --noproxy '*' --max-time 20 -w '\n%{http_code}' -X "$METHOD" "$URL" "$@") || ANSWER=
    STATUS=$(printf '%s\n' "$ANSWER" | tail -n 1)
    BODY=$(printf '%s\n' "$ANSWER" | sed '$d')
}

# field NAME is a field of BODY, which is a flat object.
field() {
    printf '%s' "$BODY" | sed -n "s/.*\"$1\" *: *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# expect WHAT WANTED GOT
expect() {
    if [ "$2" = "$3" ]; then
        echo "ok    $STEP: $1 is $2"
    else
        echo "FAIL  $STEP: $1 should be $2, is '$3' (answer: $STATUS $BODY)"
        FAILED=1
    fi
}

for SERVICE in "$API" "$PROCESSOR"; do
    ask GET "$SERVICE/health"
    expect status 200 "$STATUS"
    expect health healthy "$(field status)"
done

for WAY in orders orders/; do
    ask POST "$API/$WAY" '{"product_id": "PROD001", "quantity": 1, "customer_id": "CUST001"}'
    expect status 201 "$STATUS"
    expect product_id PROD001 "$(field product_id)"
    expect quantity 1 "$(field quantity)"
    expect customer_id CUST001 "$(field customer_id)"
    expect 'order status' confirmed "$(field status)"
    expect total_price 29 "$(field total_price)"
    ORDER_ID=$(field order_id) CREATED_AT=$(field created_at) PROCESSED_AT=$(field processed_at)

    ask GET "$API/orders/$ORDER_ID"
    expect status 200 "$STATUS"
    expect order_id "${ORDER_ID:-an id}" "$(field order_id)"
    expect 'order status' confirmed "$(field status)"
    expect total_price 29 "$(field total_price)"
    expect created_at "${CREATED_AT:-a time}" "$(field created_at)"
    expect processed_at "${PROCESSED_AT:-a time}" "$(field processed_at)"
done

ask GET "$API/orders/00000000-0000-4000-8000-000000000000"
expect status 404 "$STATUS"
expect detail 'Order not found' "$(field detail)"

ask POST "$API/orders" '{"product_id": "PROD001", "customer_id": "CUST001"}'
expect status 422 "$STATUS"
ask POST "$API/orders" '{"product_id": "PROD001", "quantity": "many", "customer_id": "CUST001"}'
expect status 422 "$STATUS"

ask POST "$PROCESSOR/process-order" '{"product_id": "PROD001", "quantity": 2, "customer_id": "CUST001"}'
expect status 200 "$STATUS"
expect 'order status' confirmed "$(field status)"
expect total_price 58 "$(field total_price)"

ask POST "$PROCESSOR/process-order" '{"product_id": "PROD002", "quantity": 100000, "customer_id": "CUST001"}'
expect status 400 "$STATUS"
expect detail 'Insufficient inventory' "$(field detail)"

ask POST "$PROCESSOR/process-order" '{"product_id": "NO-SUCH-PRODUCT", "quantity": 1, "customer_id": "CUST001"}'
expect status 404 "$STATUS"

exit "$FAILED"
