/* The review screen: a decision paints the next case at once and is sent behind it; what fails comes back whole. */

import * as autosave from "./autosave.js";
import { handled, time } from "./clock.js";
import { closeEdit, isOpen, openEdit, showChanges } from "./edit.js";
import * as evidence from "./evidence.js";
import * as heartbeat from "./heartbeat.js";
import { listen, since } from "./keyboard.js";
import * as panels from "./panels.js";
import { NotSent, post } from "./post.js";

const host = document.getElementById("case");
const said = document.getElementById("said");
const deck = []; // cases claimed ahead, the next one first
let pending = null; // what is under way to the server
let queued = false;

const painted = () => host.querySelector(":scope > .case");
const slot = (article) => article?.dataset.slot;
const say = (words) => (said.textContent = words);

/** Puts a case on the screen. `from` is the time of the keystroke, for the measure. */
function paint(article, from) {
  article.inert = false;
  article.classList.remove("waiting");
  host.replaceChildren(article);
  time(article);
  autosave.restore(article);
  article.querySelector(".start").focus({ preventScroll: true });
  if (from !== undefined) {
    requestAnimationFrame(() => setTimeout(() => performance.measure("keystroke-to-case", { start: from })));
  }
  requestAnimationFrame(() => evidence.open(article));
}

function notice(words, { alarm = true, kept = "" } = {}) {
  const box = document.createElement("div");
  box.className = alarm ? "notice alarm" : "notice";
  box.setAttribute("role", "alert");
  box.append(words);
  if (kept) {
    const text = Object.assign(document.createElement("textarea"), { value: kept, readOnly: true });
    text.setAttribute("aria-label", "What you had written");
    box.append(text);
  }
  document.getElementById("notices").replaceChildren(box);
}

/** A decision: checked, painted over by the next case, and sent. */
async function decide(form, button, from) {
  const article = form.closest(".case");
  const verdict = button.value;
  if (article !== painted() || !fits(article, verdict)) return;
  if (pending && !deck.length) {
    if (queued || !(await wait(article))) return;
  }
  const body = autosave.content(article);
  body.set("verdict", verdict);
  body.set("handling_ms", handled(article));
  autosave.hold();
  panels.closeAll();
  document.getElementById("notices").replaceChildren();
  const next = deck.shift();
  if (next) {
    body.set("next_slot", slot(next));
    body.set("next_token", next.dataset.token);
    paint(next, from);
    say(`${button.dataset.said ?? "Decided"}. Next case.`);
  } else {
    hide(article);
  }
  const before = pending;
  const now = (async () => {
    await before;
    return deliver(article, form.action, body);
  })();
  pending = now;
  await now;
  if (pending === now) pending = null;
}

/** The case after this one is not here yet: waits, visibly. True if the decision may still be made. */
async function wait(article) {
  queued = true;
  hide(article);
  const arrived = await pending;
  queued = false;
  article.inert = false;
  article.classList.remove("waiting");
  return arrived && article === painted();
}

function hide(article) {
  article.inert = true;
  article.classList.add("waiting");
  say("Sending…");
}

/** False, with the reason on the screen, where the verdict and the text do not fit together. */
function fits(article, verdict) {
  if (verdict === "edit" && !autosave.isChanged(article)) {
    notice("The answer is still as it was drafted. Change it, or accept it.");
    openEdit(article);
    return false;
  }
  if (verdict !== "edit" && isOpen(article) && autosave.isChanged(article) && !article.dataset.asked) {
    article.dataset.asked = "yes";
    notice(`You have changed the answer. Ctrl+Enter sends your edit; press ${verdict === "accept" ? "Accept" : "Reject"} again to ${verdict} the draft as it was.`);
    return false;
  }
  return true;
}

/** Sends, and deals with the answer. False if the case had to be given back. */
async function deliver(article, url, body) {
  try {
    const response = await post(url, body, { keepalive: true });
    take(await response.text(), article);
    return true;
  } catch (problem) {
    if (!(problem instanceof NotSent)) console.error(problem);
    giveBack(article, problem instanceof NotSent ? problem.message : "Something went wrong on this page.");
    return false;
  }
}

function giveBack(article, reason) {
  const here = painted();
  if (here && here !== article) deck.unshift(here);
  if (here !== article) paint(article);
  article.inert = false;
  article.classList.remove("waiting");
  notice(`Not sent: ${reason} The case is back with all you had put in; decide again when you are ready.`);
}

/** Takes an answer of the server in: the status line, a case to replace the painted one, the case on deck. */
function take(html, sent) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  const [replace, ahead] = ["replace", "on-deck"].map((id) => answer.getElementById(id)?.content.querySelector(".case"));
  for (const id of ["status", "notices"]) {
    const fresh = answer.getElementById(id);
    if (fresh && (id === "status" || fresh.childElementCount)) document.getElementById(id).replaceWith(document.adoptNode(fresh));
  }
  window.htmx?.process(document.getElementById("status"));
  const here = painted();
  const refused = replace && slot(replace) === slot(sent);
  const asPainted = here !== sent && slot(replace) === slot(here) && replace?.dataset.token === here?.dataset.token;
  if (sent) autosave.forget(sent);
  if (ahead && slot(ahead) !== slot(here) && !deck.some((one) => slot(one) === slot(ahead))) {
    deck.push(document.adoptNode(ahead));
  }
  if (replace && !asPainted) {
    const old = deck.findIndex((one) => slot(one) === slot(replace));
    if (old >= 0) deck.splice(old, 1);
    const keepHere = here && here !== sent && slot(here) !== slot(replace);
    if (keepHere && (refused || !sent)) deck.unshift(here);
    else if (keepHere && autosave.isChanged(here)) notice("The next case went to a colleague before you. This is what you had written:", { kept: here.querySelector(".answer").value });
    paint(document.adoptNode(replace));
  } else if (!here || here === sent) {
    if (deck.length) paint(deck.shift());
    else if (sent && !document.querySelector("#notices .alarm")) reload();
    else if (here) offerNext(here);
  }
}

async function undo(form) {
  const first = form.matches(".undo");
  if (pending) await pending;
  const fresh = first ? document.querySelector("#status form.undo") : form;
  if (!fresh?.isConnected) return;
  panels.closeAll();
  const now = (async () => {
    try {
      const response = await post(fresh.action, new URLSearchParams(new FormData(fresh)));
      const before = painted();
      take(await response.text(), null);
      if (painted() !== before) say("Taken back. The case is on the screen again.");
    } catch (problem) {
      notice(`Not taken back: ${problem.message}`);
    }
    return true;
  })();
  pending = now;
  await now;
  if (pending === now) pending = null;
}

/** The claim has gone while the reviewer was at it: they are told, and keep their text. */
function lost(article, words) {
  const at = deck.indexOf(article);
  if (at >= 0) deck.splice(at, 1);
  if (article !== painted()) return;
  article.querySelector(".decide").inert = true;
  notice(`${words || "This case is no longer yours."} `, { kept: autosave.isChanged(article) ? article.querySelector(".answer").value : "" });
  offerNext(article);
}

function offerNext(article) {
  const on = Object.assign(document.createElement("button"), { className: "button primary", textContent: "Next case" });
  on.addEventListener("click", () => {
    autosave.forget(article);
    document.getElementById("notices").replaceChildren();
    if (deck.length) paint(deck.shift());
    else reload();
  });
  document.querySelector("#notices .notice").append(" ", on);
}

function reload() {
  pending = null;
  location.reload();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id === "decide") {
    event.preventDefault();
    decide(form, event.submitter, since(event));
  } else if (form.matches("[data-undo]")) {
    event.preventDefault();
    undo(form);
  } else if (pending && form.matches("[data-away]")) {
    event.preventDefault();
    await pending;
    form.requestSubmit(event.submitter);
  } else if (form.matches("[data-away]") && painted()) {
    autosave.forget(painted());
  } else if (form.matches(".site-head .end > form")) {
    sessionStorage.clear(); // signed out: nothing of a case stays in this browser
  }
});

document.addEventListener("click", (event) => {
  if (!event.target.closest(".open-edit")) return;
  event.preventDefault();
  openEdit(painted());
});

window.addEventListener("beforeunload", (event) => {
  if (pending) event.preventDefault();
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
setInterval(() => {
  for (const form of document.querySelectorAll("#status [data-seconds]")) {
    form.dataset.seconds -= 5;
    if (form.dataset.seconds <= 0) form.querySelector("button")?.remove();
  }
}, 5000);

panels.watch();
showChanges(host);
evidence.link(host);
autosave.watch(host, lost);
heartbeat.keep({ painted, next: () => deck[0], lost });
listen({
  press: {
    j: () => painted() && evidence.move(painted(), 1),
    k: () => painted() && evidence.move(painted(), -1),
    x: () => painted() && evidence.mark(painted(), say),
    i: () => painted() && panels.define(painted()),
    ArrowDown: () => !!document.activeElement.closest(".doc") && evidence.move(painted(), 1),
    ArrowUp: () => !!document.activeElement.closest(".doc") && evidence.move(painted(), -1),
  },
  digit: (number) => evidence.picked(painted(), number),
  define: (number) => painted() && panels.define(painted(), number),
  commit: (event) => {
    const article = painted();
    if (!article || !isOpen(article)) return;
    event.preventDefault();
    article.querySelector(".verdict .send-edit").click();
  },
  escape: (event) => {
    const inField = event.target.closest("textarea, input, select, .pop");
    if (evidence.stop() || panels.closeAll() || inField) {
      painted()?.querySelector(".start").focus({ preventScroll: true });
    } else if (painted() && isOpen(painted()) && !autosave.isChanged(painted())) closeEdit(painted());
  },
});

const waiting = document.getElementById("on-deck").content.querySelector(".case");
if (waiting) deck.push(document.adoptNode(waiting));
if (painted()) paint(painted());
