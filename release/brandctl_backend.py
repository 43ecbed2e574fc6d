"""Gives pip the wheel of a release, where there is one, instead of a build of minutes (PEP 517).

In this order: the wheel that BRANDCTL_WHEEL names, as an absolute path or an https address that ends in #sha256=SUM; the
release of this version at the `repository` of Cargo.toml, checked against the sum beside it; a build by maturin.
"""

import hashlib
import os
import platform
import re
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TAGS = "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64"


def read(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as file:
        return file.read()


def field(name):
    found = re.search(rf'^{name} *= *"([^"]*)"', read("..", "Cargo.toml").split("\n[dependencies]")[0], re.MULTILINE)
    return found.group(1) if found else ""


class OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows no redirect to an address in clear text."""

    def redirect_request(self, request, answer, code, message, headers, address):
        if not address.startswith("https://"):
            raise SystemExit(f"{request.full_url} leads to {address}, which is not an https address")
        return super().redirect_request(request, answer, code, message, headers, address)


def download(address, most):
    """The bytes at an https address, at most so many."""
    with urllib.request.build_opener(OnlyHttps).open(address, timeout=60) as answer:
        found = answer.read(most + 1)
    if len(found) > most:
        raise SystemExit(f"{address} holds more than {most} bytes")
    return found


def chosen():
    """The wheel to install, as a path or as an address with its sum; nothing if it has to be built."""
    if os.environ.get("BRANDCTL_WHEEL"):
        return os.environ["BRANDCTL_WHEEL"]
    repository, machine = field("repository").rstrip("/"), (platform.system(), platform.machine())
    if not repository.startswith("https://") or machine != ("Linux", "x86_64"):
        return None
    address = f"{repository}/releases/download/v{field('version')}/brandctl-{field('version')}-py3-none-{TAGS}.whl"
    try:
        wanted = download(f"{address}.sha256", 1000)[:64].decode("ascii", "replace")
    except urllib.error.HTTPError as error:
        if error.code != 404:  # a commit that was not released
            raise
        return None
    if not re.fullmatch("[0-9a-f]{64}", wanted):
        raise SystemExit(f"{address}.sha256 does not begin with a SHA-256 sum")
    return f"{address}#sha256={wanted}"


def get_requires_for_build_wheel(config_settings=None):
    return [] if chosen() else re.findall(r"^maturin==\S+", read("tools.txt"), re.MULTILINE)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    wheel = chosen()
    if not wheel:
        import maturin

        return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)
    place, _, wanted = wheel.partition("#sha256=")
    name = os.path.basename(place)
    if not name.startswith(f"brandctl-{field('version')}-") or not name.endswith(".whl"):
        raise SystemExit(f"{name} is not a wheel of brandctl {field('version')}")
    if os.path.isabs(place):
        with open(place, "rb") as file:
            content = file.read()
    elif place.startswith("https://") and wanted:
        content = download(place, 200_000_000)
    else:
        raise SystemExit(f"{place} is neither an absolute path nor an https address that ends in #sha256=SUM")
    if wanted and hashlib.sha256(content).hexdigest() != wanted.lower():
        raise SystemExit(f"{place} does not have the sum {wanted}")
    with open(os.path.join(wheel_directory, name), "wb") as file:
        file.write(content)
    return name
