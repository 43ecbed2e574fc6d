#!/usr/bin/env bash
# Checks once a day whether the portal still matches the repository in the folder $1. cron mails what it prints, and it prints
# only if something differs (status 2) or if it cannot find out (status 1):
#
#     PATH=/home/brand/.cargo/bin:/usr/local/bin:/usr/bin:/bin
#     MAILTO=team@example.com
#     BITRIX24_WEBHOOK_URL_FILE=/etc/brandctl/webhook
#     17 5 * * *  /usr/local/bin/brand-drift /srv/brand /var/www/drift.html
#
# PATH names the folder of brandctl: `cargo install` puts it into ~/.cargo/bin, and cron expands neither ~ nor $HOME there. The
# file holds the webhook of a user without administrator rights, and only its owner can read it. Two of these at once do no
# harm: brandctl itself takes turns. $2 is optional: where to write a page with the differences. Choose a place outside the
# repository, so that no commit can put something there.
set -euo pipefail
cd "$1"

git pull --quiet --ff-only
status=0
printed=$(brandctl drift --no-progress ${2:+--report "$2"} 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
    printf '%s\n' "$printed"
fi
exit "$status"
