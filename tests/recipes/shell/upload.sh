set -eu

picture=iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==

answer=$(curl --silent --show-error --fail "$RUNWARE_BASE_URL" \
  --header "Authorization: Bearer $RUNWARE_API_KEY" --header "Content-Type: application/json" --data '[{
    "taskType": "imageUpload",
    "taskUUID": "50836053-a0ee-4cf5-b9d6-ae7c5d140ada",
    "image": "'"$picture"'"
  }]')
url=$(printf %s "$answer" | sed 's/.*"imageURL":"\([^"]*\)".*/\1/')

stored=$(curl --silent --show-error --fail "$url" | base64 | tr -d '\n')
[ "$stored" = "$picture" ] || { echo "$url is another picture"; exit 1; }
echo "ok: $url"
