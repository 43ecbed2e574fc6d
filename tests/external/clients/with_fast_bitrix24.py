"""Drives the sandbox through fast_bitrix24, over plain http."""

import json
import sys
from urllib.parse import urlencode

from fast_bitrix24 import Bitrix
from fast_bitrix24.server_response import ErrorInServerResponseException

WEBHOOK, ICON, LOGO = sys.argv[1:]
portal = Bitrix(WEBHOOK, verbose=False)


def call(method, **parameters):
    """A single call, as the server answered it."""
    return portal.call(method, parameters, raw=True)["result"]


def refused(method, **parameters):
    """The error code of a call that the portal refuses. Of a single call it tells the status only, of a batch all."""
    try:
        portal.call_batch({"halt": 0, "cmd": {"it": f"{method}?{urlencode(parameters)}"}})
    except ErrorInServerResponseException as error:
        return error.args[0]["it"]["error"]
    return None


told = {"system": [len(call("crm.timeline.icon.list")["icons"]), len(call("crm.timeline.logo.list")["logos"])]}
# Not raw: it sends this one as a batch of its own making.
added = portal.call("crm.timeline.icon.add", {"code": "sdk+icon", "fileContent": ICON})
told["added"] = [
    added.get("icon", added)["isSystem"],
    call("crm.timeline.logo.add", code="sdk+logo", fileContent=LOGO)["logo"]["isSystem"],
]
told["duplicate"] = refused("crm.timeline.icon.add", code="sdk+icon", fileContent=ICON)
told["got"] = [
    call("crm.timeline.icon.get", code="sdk+icon")["icon"]["code"],
    call("crm.timeline.logo.get", code="sdk+logo")["logo"]["code"],
]
fields = {"entityTypeId": 2, "entityId": 12, "title": "Title & co", "text": "Ünï=code", "iconCode": "sdk+icon"}
entry = call("crm.timeline.logmessage.add", fields=fields)["logMessage"]
told["log"] = call("crm.timeline.logmessage.get", id=entry["id"])["logMessage"]["title"]
told["entries"] = len(portal.get_all("crm.timeline.logmessage.list", {"entityTypeId": 2, "entityId": 12}))
told["undeletable"] = refused("crm.timeline.logmessage.delete", id=entry["id"])
answers = portal.call_batch(
    {
        "halt": 0,
        "cmd": {
            "icon": "crm.timeline.icon.get?code=sdk%2Bicon",
            "logo": "crm.timeline.logo.get?code=sdk%2Blogo",
            "log": f"crm.timeline.logmessage.get?id={entry['id']}",
        },
    }
)
told["batch"] = [answers["icon"]["icon"]["code"], answers["logo"]["logo"]["code"], answers["log"]["logMessage"]["text"]]
told["deleted"] = [call("crm.timeline.icon.delete", code="sdk+icon"), call("crm.timeline.logo.delete", code="sdk+logo")]
told["gone"] = refused("crm.timeline.icon.get", code="sdk+icon")
print(json.dumps(told))
