"""Drives the sandbox through the vendor's Python SDK, over https."""

import json
import sys
from urllib.parse import urlsplit

from b24pysdk import BitrixWebhook, Client
from b24pysdk.errors import BitrixAPIError

WEBHOOK, ICON, LOGO = sys.argv[1:]
url = urlsplit(WEBHOOK)
client = Client(BitrixWebhook(domain=url.netloc, webhook_token=url.path.removeprefix("/rest/").strip("/")))
timeline = client.crm.timeline


def refused(request):
    """The error code of a call that the portal refuses."""
    try:
        request.response
    except BitrixAPIError as error:
        return error.error
    return None


told = {"system": [len(timeline.icon.list().result["icons"]), len(timeline.logo.list().result["logos"])]}
told["added"] = [
    timeline.icon.add("sdk+icon", ICON).result["icon"]["isSystem"],
    timeline.logo.add("sdk+logo", LOGO).result["logo"]["isSystem"],
]
told["duplicate"] = refused(timeline.icon.add("sdk+icon", ICON))
told["got"] = [timeline.icon.get("sdk+icon").result["icon"]["code"], timeline.logo.get("sdk+logo").result["logo"]["code"]]
fields = {"entityTypeId": 2, "entityId": 12, "title": "Title & co", "text": "Ünï=code", "iconCode": "sdk+icon"}
entry = timeline.logmessage.add(fields).result["logMessage"]
told["log"] = timeline.logmessage.get(entry["id"]).result["logMessage"]["title"]
told["entries"] = len(timeline.logmessage.list(entity_type_id=2, entity_id=12).result["logMessages"])
told["undeletable"] = refused(timeline.logmessage.delete(entry["id"]))
requests = {
    "icon": timeline.icon.get("sdk+icon"),
    "logo": timeline.logo.get("sdk+logo"),
    "log": timeline.logmessage.get(entry["id"]),
}
answers = client.call_batch(requests).result.result
told["batch"] = [answers["icon"]["icon"]["code"], answers["logo"]["logo"]["code"], answers["log"]["logMessage"]["text"]]
told["deleted"] = [timeline.icon.delete("sdk+icon").result, timeline.logo.delete("sdk+logo").result]
told["gone"] = refused(timeline.icon.get("sdk+icon"))
print(json.dumps(told))
