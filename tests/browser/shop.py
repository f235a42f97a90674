"""The shop: a page of another origin that carries the feedback widget, on a server of its own under a strict policy."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = "You were charged twice. The second payment is returned within three days."
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Help</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/page.css">
<script src="{hitl}/static/js/feedback.js" data-hitl="{hitl}" data-token="{token}" data-user="visitor-7"
  data-by="The shop" data-days="30" data-privacy="/privacy" {more} defer></script></head>
<body><main><h1>Help</h1><div id="answers">
<div class="answer" data-hitl-trace="t-1"><p>{answer}</p></div>
<button data-hitl-accept>This helped</button> <button data-hitl-regenerate>Another answer</button>
<button data-hitl-copy>Copy</button>
</div>
<form data-hitl-followup="t-1"><label>Ask again <input name="q"></label></form>
<label>Reply <textarea id="reply"></textarea></label>
</main><script src="/page.js"></script></body></html>"""
# A page with rules of its own, which nothing of ours may take on.
STYLE = """
:root { color-scheme: light dark; background: Canvas; color: CanvasText; font-family: serif }
* { letter-spacing: 6px } button, div, p, span { background: #f0f; text-transform: uppercase; font-size: 30px }
main * { all: revert }
"""
SCRIPT = """document.addEventListener("submit", (e) => e.preventDefault());
addEventListener("add-answer", (e) => {
  const made = document.createElement("div");
  made.dataset.hitlTrace = e.detail.trace;
  if (e.detail.state) made.dataset.hitlState = e.detail.state;
  made.textContent = "A later answer.";
  document.querySelector("#answers").append(made);
});"""


class Shop:
    """The other origin's server. `policy` is the Content-Security-Policy of its pages."""

    def __init__(self, hitl: str) -> None:
        self.hitl, self.token, self.more = hitl, "", ""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = shop.file(self.path)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header(
                    "Content-Security-Policy",
                    f"default-src 'none'; script-src 'self' {hitl}; style-src 'self'; connect-src {hitl}; "
                    "require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'",
                )
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def file(self, path: str) -> tuple[str, str]:
        if path == "/page.css":
            return "text/css", STYLE
        if path == "/page.js":
            return "text/javascript", SCRIPT
        if path != "/":
            return "text/html", "<!doctype html><title>Elsewhere</title>"
        return "text/html", PAGE.format(hitl=self.hitl, token=self.token, answer=ANSWER, more=self.more)
