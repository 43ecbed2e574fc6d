#!/bin/sh
# brandctl in any CI system, such as Jenkins, Buildkite or Drone. `brandctl init` wrote it; change it as you like.
#
#   sh brandctl-ci.sh validate    on each change; needs no secret
#   sh brandctl-ci.sh plan        on each change from your own repository
#   sh brandctl-ci.sh apply       after the merge, one at a time for each portal
#   sh brandctl-ci.sh drift       on a schedule; exit code 2 if something differs
#
# More arguments go to brandctl. BITRIX24_WEBHOOK_URL comes from the system's secrets: for plan and drift a webhook of a user
# without administrator rights, for apply a webhook of an administrator, with the scope crm. BRANDCTL_REPORT_URL is the https
# URL where brandctl-out/ will be, if the system does not set BUILD_URL (Jenkins) or BUILDKITE_BUILD_URL.
#
# Keep these files also when it fails: brandctl-out/, and .brandctl/*/runs/, which holds the journal and the old images.
# Check out the whole history: it shows whether the portal or the repository changed.
set -eu
cd "$(dirname "$0")"
command=${1:-}
case $command in
  validate | plan | apply | drift) shift ;;
  *)
    echo 'usage: sh brandctl-ci.sh validate|plan|apply|drift [ARGUMENT...]' >&2
    exit 1
    ;;
esac
BRANDCTL_TOOL='@tool@' # @about-tool@
@install@
# A new folder, so that nothing committed under its name remains.
out=brandctl-out
rm -rf "$out"
mkdir "$out"
echo '*' >"$out/.gitignore"
url=${BRANDCTL_REPORT_URL:-}
[ -n "$url" ] || [ -z "${BUILD_URL:-}" ] || url=${BUILD_URL%/}/artifact${PWD#"${WORKSPACE:-$PWD}"}/$out/$command.html
[ -n "$url" ] || url=${BUILDKITE_BUILD_URL:-}
case $url in https://*) set -- --report-url "$url" "$@" ;; esac
case $command in
  plan) set -- -o "$out/plan.json" "$@" ;;
  apply)
    # brandctl makes no links there. One that was committed could lead what your system keeps to other files.
    find .brandctl -type l -exec rm -f {} + 2>/dev/null || :
    set -- --yes "$@"
    ;;
esac
# `exec`: a job that is cancelled signals brandctl itself, which then finishes what it has begun.
exec brandctl "$command" --report "$out/$command.html" --report "$out/$command.md" --report "$out/$command.xml" "$@"
