"""Uploads the icons of a folder with fast_bitrix24, the way its README shows, and prints the seconds of the call alone:
without starting Python, importing, reading the files and encoding them."""

import base64
import os
import pathlib
import sys
import time

from fast_bitrix24 import Bitrix

icons = [
    {"code": path.stem, "fileContent": base64.b64encode(path.read_bytes()).decode()}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.png"))
]
portal = Bitrix(os.environ["BITRIX24_WEBHOOK_URL"], verbose=False)
start = time.perf_counter()
portal.call("crm.timeline.icon.add", icons)
print(time.perf_counter() - start)
