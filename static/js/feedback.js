/* Feedback on the answers of any page, sent to hitl. No dependency, no inline code, nothing before the person agreed.

   <script src="https://hitl.example/static/js/feedback.js" data-hitl="https://hitl.example" data-token="hitl_…"
           data-user="pseudonym" data-by="Shop Ltd" data-privacy="/privacy" data-days="90" defer></script>

   data-hitl and data-token (for feedback alone) are needed. data-days is how long the tenant keeps signals. data-ask
   opens the notice by itself. data-texts is JSON of words to use instead of TEXTS, in another language say.

   data-hitl-trace="<trace id>"     an answer. data-hitl-text on it: its text, where another is shown
   data-hitl-state="streaming"      on it, while it is being written
   data-hitl-accept, -regenerate, -copy: buttons. -followup: a form or a field that asks again about an answer. Their
   value is a trace id; empty, it is the answer they stand in, or else the one before them. */
(() => {
  const { hitl, token, user, by = location.hostname, privacy, days = 90, ask, texts = "{}" } =
    document.currentScript.dataset;
  const LONGEST = 20000;
  const DWELL_LONGEST = 999;
  const TEXTS = {
    group: "Feedback on this answer", up: "Helpful", down: "Not helpful", edit: "Correct it",
    noted: "Thank you", send: "Send", cancel: "Cancel",
    why: "What went wrong?", hallucination: "Made up", missed_the_point: "Missed the point", refused: "Refused",
    too_long: "Too long", formatting: "Formatting", other: "Something else", comment: "In your own words",
    yours: "The answer as it should be", own: "Your own work, used only for what you allowed.",
    open: "What is kept?", on: "Feedback settings", off: "Feedback is off",
    before: "Before anything is sent",
    what:
      "If you agree, {by} keeps what you say of these answers, your corrections, and what you do: copy them, change " +
      "the copy on this page, ask again, leave, how long you look. For {days} days, under the code {me}, not your " +
      "name.",
    uses: "It may be used for",
    evaluation: "Checking: finding wrong answers",
    retrieval: "Examples: used in similar answers",
    training: "Training the assistant",
    later:
      "Your corrections are your own work, used for nothing you did not tick. Change your mind here at any time, and " +
      "nothing more is sent. To have what was sent taken out, tell {by} the code.",
    privacy: "Privacy", all: "Allow all", some: "Allow what I ticked", none: "Allow nothing",
    stopped: "Nothing is sent",
    ...JSON.parse(texts),
  };
  const REASONS = ["hallucination", "missed_the_point", "refused", "too_long", "formatting", "other"];
  const THUMB = "M7 10v11H3V10h4l5-8a3 3 0 0 1 3 3l-1 4h6a2 2 0 0 1 2 2l-2 8a2 2 0 0 1-2 2H7";
  const PEN = "M16 4a2 2 0 0 1 4 4L8 20l-5 1 1-5Z";

  // What this device remembers under a name, or is to remember. Where it may not, it is forgotten with the page.
  const memory = (name, value) => {
    try {
      name = `hitl ${name} ${hitl}`;
      if (value) localStorage[name] = JSON.stringify(value);
      else return JSON.parse(localStorage[name]);
    } catch {}
  };
  const random = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");

  // {uses, any, me}, once the person has chosen; `any`: they allowed something. `me` is the code they go by.
  let consent = memory("consent");
  const me = user || consent?.me || "w-" + random().slice(0, 10);
  const say = (text) => text.replace(/{(\w+)}/g, (_, name) => ({ by, days, me })[name]);

  // Sent in batches and kept until hitl has answered. Each signal has an id, so that sending it again is safe.
  let queue = (consent?.any && memory("queue")) || [];
  let timer, busy, wait = 0;
  const put = (trace, type, more, instead) => {
    if (!trace || !consent?.any) return;
    if (instead) queue = queue.filter((one) => one.sent || one.trace !== trace || one.type !== type);
    queue.push({ trace, type, signal_id: random(), at: new Date(), ...more });
    queue = queue.slice(-99);
    memory("queue", queue);
    clearTimeout(timer);
    timer = setTimeout(flush, wait || 1500);
  };
  const flush = async (leaving) => {
    if (!queue[0] || (busy && leaving !== 1)) return;
    clearTimeout(timer);
    const batch = queue.slice(0, 50);
    const events = {};
    for (const one of batch) {
      one.sent = 1;
      const { trace, sent, ...signal } = one;
      (events[trace] ||= { trace_id: trace, user_key: me, consent: consent.uses, signals: [] }).signals.push(signal);
    }
    const body = JSON.stringify(Object.values(events));
    busy = 1;
    try {
      const answer = await fetch(hitl + "/api/v1/feedback", {
        method: "POST",
        credentials: "omit",
        keepalive: body.length < 2e4,
        headers: { Authorization: "Bearer " + token, "Content-Type": "application/json" }, body,
      });
      if (/429|5../.test(answer.status)) throw answer.headers.get("Retry-After");
      wait = 0;
      queue = queue.filter((one) => !batch.includes(one));
      const told = await answer.json();
      if (!answer.ok || told.events.some((event) => event.errors[0])) console.warn("hitl", told);
    } catch (seconds) {
      wait = seconds * 1000 || Math.min(2 * wait || 5000, 300000);
    }
    busy = 0;
    memory("queue", queue);
    if (queue[0]) timer = setTimeout(flush, wait);
  };

  // The page's answers, each with its bar of buttons.
  const bars = new Map();
  const answers = () => [...bars.keys()];
  const traceOf = (answer) => answer?.dataset.hitlTrace;
  const textOf = (answer) => answer.dataset.hitlText ?? answer.innerText.trim();
  const streams = (answer) => answer.dataset.hitlState === "streaming";
  const FOLLOWING = 4;
  const about = (part, mark) =>
    part.getAttribute(mark) ||
    traceOf(
      part.closest("[data-hitl-trace]") ||
        answers().findLast((answer) => answer.compareDocumentPosition(part) & FOLLOWING),
    );

  const make = (tag, given, ...inside) => {
    const made = Object.assign(document.createElement(tag), given);
    made.append(...inside);
    return made;
  };
  const icon = (d) => {
    const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.ariaHidden = true;
    path.setAttribute("d", d);
    svg.append(path);
    return svg;
  };
  const button = (text, onclick, className, mark = "") =>
    make("button", { type: "button", className, onclick }, mark, TEXTS[text]);
  const row = (...inside) => make("div", { className: "row" }, ...inside);
  const choices = (legend, className, names, chosen) =>
    make("fieldset", { className }, make("legend", {}, TEXTS[legend]), ...names.map((value) =>
      make("label", { className: "tick" },
        make("input", { type: "checkbox", value, checked: !!chosen?.[value] }), TEXTS[value])));
  const ticked = (part) => [...part.querySelectorAll(":checked")].map((box) => box.value);
  const field = (id, value) => [
    make("label", { htmlFor: id, className: "name" }, TEXTS[id]),
    make("textarea", { id, maxLength: LONGEST, value }),
  ];

  // Colours come from the page's own text, so that it fits in light and dark, whichever way the page does that.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    "*{box-sizing:border-box}.w{all:initial;display:block;color:inherit;color-scheme:inherit;margin:8px 0;" +
      "font:14px/1.45 system-ui,sans-serif;" +
      "--line:color-mix(in srgb,currentColor 55%,#0000);--wash:color-mix(in srgb,currentColor 12%,#0000)}" +
      "[hidden]{display:none!important}" +
      ".bar,.row{display:flex;flex-wrap:wrap;align-items:center;gap:5px}" +
      "button,textarea{font:inherit;color:inherit;background:none;border:0;border-radius:8px;padding:5px 9px}" +
      "button{display:flex;align-items:center;gap:6px;min-height:32px;cursor:pointer}" +
      "button:hover,[aria-pressed=true]{background:var(--wash)}" +
      "[aria-pressed=true] path{fill:var(--line)}" +
      ":focus-visible{outline:2px solid;outline-offset:2px}" +
      ".line,textarea,.row .tick{border:1px solid var(--line)}" +
      ".main{border:2px solid;font-weight:600}" +
      ":disabled{opacity:.6}" +
      ".set{margin-inline-start:auto;text-decoration:underline}" +
      "svg{width:17px;fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}" +
      ".flip svg{rotate:180deg}" +
      ".panel{display:grid;gap:10px;margin-top:6px;padding:15px;border:1px solid var(--wash);" +
      "border-radius:9px;max-width:36em;background:color-mix(in srgb,currentColor 4%,#0000)}" +
      "p,fieldset{margin:0;padding:0;border:0}b,legend,.name{font-weight:600}legend{padding:0 0 4px}" +
      ".name{margin-bottom:-6px}" +
      ".tick{display:flex;gap:8px;align-items:center;padding:4px 0}.row .tick{padding:4px 10px;border-radius:8px}" +
      "textarea{field-sizing:content;min-height:5em;resize:vertical}" +
      "input{margin:0;flex:none;width:16px;height:16px}" +
      "a{color:inherit}" +
      "@media(pointer:coarse){button,.tick{min-height:44px}}",
  );

  const barOf = (answer) => {
    let opener, thumb;
    const to = (type, more, instead) => put(traceOf(answer), type, more, instead);
    const status = make("span", { role: "status" });
    const panel = make("div", { className: "panel", hidden: true });
    panel.addEventListener("keydown", (e) => e.key === "Escape" && close());

    const close = (text = "") => {
      if (opener) opener.ariaExpanded = false;
      if (panel.contains(root.activeElement)) opener.focus();
      panel.hidden = true;
      status.textContent = text;
    };
    const open = (from, ...content) => {
      const again = !panel.hidden && opener === from;
      close();
      if (again) return;
      opener = from;
      opener.ariaExpanded = true;
      panel.replaceChildren(...content);
      panel.hidden = false;
      panel.querySelector("input,textarea").focus();
    };
    const cancel = () => button("cancel", () => close(), "line");
    // What needs the person's word first is done as soon as they have given it.
    const agreed = (then) => () => (consent?.any ? then() : question(then));

    const rate = (given) => {
      if (thumb !== given) to("user_rating", { thumbs: given }, 1);
      thumb = given;
      up.ariaPressed = given === "up";
      down.ariaPressed = given === "down";
      if (given === "up") return close(TEXTS.noted);
      const reasons = choices("why", "row", REASONS);
      const words = field("comment", "");
      const send = () => {
        let comment = words[1].value.trim();
        const given = ticked(reasons);
        if (comment && !given[0]) given.push("other");
        for (const reason of given) {
          to("user_reason", { reason, comment });
          comment = "";
        }
        close(TEXTS.noted);
      };
      open(down, reasons, ...words, row(button("send", send, "main"), cancel()));
    };

    const correct = () => {
      const before = textOf(answer);
      const words = field("yours", before);
      const give = () => {
        to("user_edit", { edited_output: words[1].value });
        close(TEXTS.noted);
      };
      const send = button("send", give, "main");
      send.disabled = true;
      words[1].oninput = () => (send.disabled = words[1].value.trim() === before || !words[1].value.trim());
      open(edit, ...words, make("p", {}, TEXTS.own), row(send, cancel()));
    };

    const question = (then) => {
      const choose = (all) => () => {
        const given = ticked(uses);
        consent = { uses: {}, any: all || !!given[0] };
        for (const use of USES) consent.uses[use] = all || given.includes(use);
        if (consent.any) consent.me = me;
        else memory("queue", (queue = []));
        memory("consent", consent);
        for (const bar of bars.values()) bar.say();
        close(consent.any ? TEXTS.noted : TEXTS.stopped);
        if (consent.any && then) then();
      };
      const uses = choices("uses", "", USES, consent?.uses);
      uses.ariaDescription = say(TEXTS.what);
      const some = button("none", choose(), "main");
      uses.onchange = () => (some.textContent = TEXTS[ticked(uses)[0] ? "some" : "none"]);
      uses.onchange();
      const later = make("p", {}, say(TEXTS.later), " ");
      if (privacy) later.append(make("a", { href: privacy }, TEXTS.privacy));
      open(set, make("b", {}, TEXTS.before), make("p", {}, say(TEXTS.what)), uses, later,
        row(button("all", choose(true), "main"), some));
    };

    const up = button("up", agreed(() => rate("up")), "", icon(THUMB));
    const down = button("down", agreed(() => rate("down")), "flip", icon(THUMB));
    const edit = button("edit", agreed(correct), "", icon(PEN));
    const set = button("open", () => question(), "set");
    const host = make("hitl-feedback");
    up.ariaPressed = down.ariaPressed = false;
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const whole = make("div", { className: "w" },
      make("div", { className: "bar", role: "group", ariaLabel: TEXTS.group }, up, down, edit, status, set), panel);
    root.append(whole);
    const bar = {
      host,
      question,
      seconds: 0,
      say: () => (set.textContent = TEXTS[consent ? (consent.any ? "on" : "off") : "open"]),
      place() {
        whole.hidden = streams(answer);
        if (answer.nextSibling !== host) answer.after(host);
      },
    };
    bar.say();
    return bar;
  };
  const USES = ["evaluation", "retrieval", "training"];

  // Answers come, move and go as the page likes.
  const watch = new IntersectionObserver(
    (entries) => {
      for (const one of entries) {
        const bar = bars.get(one.target);
        if (bar) bar.seen = one.intersectionRatio >= 0.5 || one.intersectionRect.height > innerHeight / 3;
      }
    },
    { threshold: [0, 0.25, 0.5] },
  );
  const look = () => {
    for (const [answer, bar] of bars) {
      if (answer.isConnected) continue;
      bars.delete(answer);
      bar.host.remove();
    }
    for (const answer of document.querySelectorAll("[data-hitl-trace]")) {
      if (!bars.has(answer)) {
        bars.set(answer, barOf(answer));
        watch.observe(answer);
        if (ask !== undefined && !consent && bars.size === 1) bars.get(answer).question();
      }
      bars.get(answer).place();
    }
  };
  look();
  new MutationObserver(look).observe(document.body, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-hitl-trace", "data-hitl-state"],
  });

  // What people do. Nothing of it is noted before they agreed: see `put`.
  setInterval(() => {
    if (document.hidden || !consent?.any) return;
    for (const [answer, bar] of bars) if (bar.seen && !streams(answer) && bar.seconds < DWELL_LONGEST) bar.seconds++;
  }, 1000);
  const leave = (gone) => {
    settle();
    for (const [answer, bar] of bars) {
      if (gone && streams(answer)) put(traceOf(answer), "implicit_abandon");
      if (bar.seconds && !bar.told) put(traceOf(answer), "implicit_dwell", { seconds: bar.seconds });
      bar.told ||= bar.seconds;
    }
    flush(1);
  };
  const on = (event, does) => addEventListener(event, does, true);
  on("pagehide", () => leave(1));
  on("visibilitychange", () => document.hidden && leave());
  on("online", flush);

  on("click", (e) => {
    for (const done of ["accept", "regenerate", "copy"]) {
      const mark = `data-hitl-${done}`;
      const part = e.target.closest?.(`[${mark}]`);
      if (!part) continue;
      const trace = about(part, mark);
      put(trace, `implicit_${done}`);
      const answer = answers().find((one) => traceOf(one) === trace);
      if (answer && done === "copy") took(answer);
    }
  });
  const AGAIN = "data-hitl-followup";
  const asked = (part) => {
    const text = (part.querySelector("textarea,[type=text],input:not([type])") || part).value?.trim();
    if (text) put(about(part, AGAIN), "implicit_followup", { text });
  };
  on("submit", (e) => {
    settle();
    const part = e.target.closest(`[${AGAIN}]`) || e.target.querySelector(`[${AGAIN}]`);
    if (part) asked(part);
  });
  on("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && e.target.matches(`[${AGAIN}]`) && !e.target.form) asked(e.target);
  });

  // A copy, and what becomes of it where it is pasted on this page. Of the field, only what was pasted is taken.
  let copied, pasted;
  const took = (answer, text = textOf(answer)) => (copied = { trace: traceOf(answer), whole: textOf(answer), text });
  const plain = (text) => text.replace(/\s+/g, " ").trim();
  const valueOf = (field) => field.value ?? field.innerText;
  on("copy", (e) => {
    const selection = getSelection();
    const text = `${selection}`.trim();
    if (!text || e.target.localName === "hitl-feedback") return;
    const from = answers().filter((answer) => selection.containsNode(answer, true));
    for (const answer of from) {
      const isPart = plain(text).length < 0.9 * plain(answer.innerText).length;
      put(traceOf(answer), "implicit_copy", { text: isPart && !from[1] ? text.slice(0, LONGEST) : "" });
      took(answer, text);
    }
  });
  on("paste", (e) => {
    const field = e.target.closest?.("textarea,input,[contenteditable]");
    const text = e.clipboardData.getData("text/plain").replace(/\r\n/g, "\n").trim();
    if (!field || !text || !copied || plain(text) !== plain(copied.text)) return;
    setTimeout(() => {
      const [before, after, more] = valueOf(field).split(text);
      if (after != null && more == null) pasted = { ...copied, field, before, after, text };
    });
  });
  const settle = () => {
    if (!pasted) return;
    const { trace, whole, field, before, after, text } = pasted;
    const now = valueOf(field);
    const left = now.slice(before.length, now.length - after.length);
    if (!now.startsWith(before) || !now.endsWith(after) || !left.trim() || left.includes(text)) return;
    pasted = 0;
    const edited = whole.includes(text) ? whole.replace(text, () => left) : left;
    put(trace, "implicit_copy_edit", { edited_output: edited.slice(0, LONGEST) });
  };
  on("focusout", settle);

  flush();
})();
