"""The demo's inference server: answers every GET with one line."""
import http.server
import sys


class Model(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"label": "cat", "score": 0.97}\n'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Model).serve_forever()
