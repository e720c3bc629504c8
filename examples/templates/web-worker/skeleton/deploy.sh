#!/bin/sh
# Deploys the commit that is checked out, through the API, and follows it to its end. Needs git, curl, and:
#   PAVIOR_URL    for example https://pavior.example.com
#   PAVIOR_TOKEN  a deploy token of the app: pavior tokens create --for-team ${{ values.team }} --role developer --app ${{ values.name }}
set -eu
: "${PAVIOR_URL:?is not set}" "${PAVIOR_TOKEN:?is not set}"
api="$PAVIOR_URL/v1/teams/${{ values.team }}"
commit=$(git rev-parse HEAD)
build=$(git archive --format=tar HEAD | curl -sS --fail-with-body -X POST "$api/apps/${{ values.name }}/source?commit=$commit&branch=main" \
  -H "authorization: Bearer $PAVIOR_TOKEN" -H 'content-type: application/x-tar' --data-binary @-)
name=$(printf '%s' "$build" | grep -o '"name":"${{ values.name }}-build-[0-9]*"' | head -n 1 | cut -d '"' -f 4)
curl -sSN "$api/builds/$name/progress" -H "authorization: Bearer $PAVIOR_TOKEN" | tee /tmp/pavior-deploy.log
# The last record tells how it ended.
tail -n 1 /tmp/pavior-deploy.log | grep -q '"type":"result"'
