#!/usr/bin/env bash
# Looks once a day whether the portal still is what the repository in the folder $1 says. cron mails what it prints, and
# it prints only when something differs (status 2) or it cannot tell (status 1):
#
#     MAILTO=team@example.com
#     BITRIX24_WEBHOOK_URL_FILE=/etc/brandctl/webhook
#     17 5 * * *  /usr/local/bin/brand-drift /srv/brand /var/www/drift.html
#
# The file holds the webhook of a user who is no administrator, and nobody else can read it. Two of these at once do no
# harm: brandctl itself takes turns. $2, if it is given, is where to write a page of what differs: a place outside the
# repository, where no commit can have put something.
set -euo pipefail
cd "$1"

git pull --quiet --ff-only
status=0
told=$(brandctl drift --no-progress ${2:+--report "$2"} 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
    printf '%s\n' "$told"
fi
exit "$status"
