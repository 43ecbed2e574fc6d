"""The part of GitHub's REST and GraphQL interfaces that comments need, on this machine. The first part of a path is how it
behaves; GET /log has the requests so far. Prints its port."""

import http.server
import json
import sys
import threading
import time

MARKER = "<!-- brandctl plan acme.bitrix24.com brand.yaml -->"
BOT = "github-actions[bot]"
comments = {}
log = []


def comment(number, login, body):
    return {"id": number, "user": {"login": login}, "body": body}


def seeded(mode):
    if mode == "crowded":
        others = [comment(n, "somebody", "words") for n in range(1, 230)]
        others[0] = comment(1, "mallory", MARKER + "\ntheirs")
        others[1] = comment(2, BOT, MARKER.replace("acme", "other") + "\nof another portal")
        others[2] = comment(3, BOT, None)
        others[210] = comment(211, BOT, MARKER + "\r\nof an earlier run")
        return others
    if mode == "early":
        unknown = MARKER.replace("acme.bitrix24.com", "-")
        return [comment(1, "mallory", unknown), comment(2, BOT, unknown + "\nwithout a webhook")]
    if mode == "theirs":
        return [comment(1, "mallory", MARKER + "\ntheirs")]
    return []


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, status, value, raw=None, headers=()):
        body = raw if raw is not None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        mode, _, rest = self.path.lstrip("/").partition("/")
        if mode == "log":
            return self.send(200, log)
        log.append({
            "mode": mode,
            "method": self.command,
            "path": rest,
            "token": self.headers.get("Authorization"),
            "body": body,
        })
        if rest == "graphql":
            if mode == "app":
                return self.send(200, {"data": {"viewer": {"login": "mallory"}}})
            return self.send(200, {"data": {"viewer": {"login": BOT}}})
        if mode == "denied":
            return self.send(403, {"message": "Resource not accessible by integration"})
        if mode == "readonly" and self.command != "GET":
            return self.send(403, {"message": "::error::no"})
        if mode == "broken":
            return self.send(500, {"message": "Server Error"})
        if mode == "html":
            return self.send(200, None, b"<html>$(touch ran)</html>")
        if mode == "odd":
            return self.send(200, [{"id": "1; touch ran", "user": {"login": BOT}, "body": MARKER}])
        if mode == "null":
            return self.send(200, [None, 1, {"user": None}])
        if mode == "away":
            return self.send(302, {}, headers=[("Location", "/ok/leak")])
        if mode == "slow":
            time.sleep(25)
            return self.send(200, [])
        if mode == "endless":
            return self.send(200, [comment(n, "somebody", "words") for n in range(100)])
        stored = comments.setdefault(mode, seeded(mode))
        if self.command == "GET":
            page = int(rest.rpartition("page=")[2])
            return self.send(200, stored[(page - 1) * 100 : page * 100])
        text = json.loads(body)["body"]
        if self.command == "POST":
            stored.append(comment(len(stored) + 1, BOT, text))
            return self.send(201, stored[-1])
        number = int(rest.rpartition("/")[2])
        stored[number - 1]["body"] = text
        return self.send(200, stored[number - 1])

    do_GET = do_POST = do_PATCH = handle_any


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()  # until the test ends
