"""An https server for the files of a folder, with the certificate of the arguments. Also leads away from itself. Prints its
port."""

import functools
import http.server
import ssl
import sys
import threading

folder, certificate, key = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/moved/"):
            target = "/" + self.path.removeprefix("/moved/")
        elif self.path.startswith("/clear/"):
            target = "http://127.0.0.1:%d/%s" % (server.server_address[1], self.path.removeprefix("/clear/"))
        elif self.path.startswith("/around/"):
            target = self.path
        else:
            return super().do_GET()
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()  # until the test ends
