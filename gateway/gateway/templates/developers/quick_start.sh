ORIGIN={{ origin }}

TOKEN=$(curl -s "$ORIGIN/api/v1/auth/login" -H "Content-Type: application/json" \
  -d "{\"email\": \"$EMAIL\", \"password\": \"$PASSWORD\"}" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access"])')

curl -s "$ORIGIN/api/v1/wallet" -H "Authorization: Bearer $TOKEN"

curl -s "$ORIGIN/api/v1/products?q=hoodie&limit=3"
