/* What a reviewer has half written is kept as they type: in this tab at once, on the server after a pause. */

import { post } from "./post.js";

const PAUSE = 1200;
const key = (article) => `hitl:case:${article.dataset.slot}`;
let waiting = null;
let onLost = () => {};

export const formOf = (article) => article.querySelector("form#decide");
/** Where something of this case is sent to, beside its decision: "draft", "diff", "heartbeat". */
export const address = (article, word) => new URL(`../${word}/`, formOf(article).action).href;
export const editOf = (article) => article.querySelector(".edit");

const controls = (article) => [...formOf(article).elements].filter((one) => one.name && one.type !== "hidden" && one.type !== "submit");

const answer = (article) => article.querySelector(".answer");
/** True if there is an answer of the reviewer's own, typed now or saved before. */
export const isChanged = (article) => answer(article).value !== answer(article).defaultValue || "saved" in answer(article).dataset;

/** All that the reviewer has put into the case, as the form would send it; the draft itself stays at home. */
export function content(article) {
  const body = new URLSearchParams(new FormData(formOf(article)));
  if (!isChanged(article)) body.delete("final_answer");
  body.set("editing", editOf(article)?.open ? "1" : "");
  return body;
}

/** Watches the cases under `host`; `lost` is called with a case that is no longer this person's. */
export function watch(host, lost) {
  onLost = lost;
  for (const event of ["input", "change", "toggle"]) {
    host.addEventListener(event, ({ target }) => {
      const article = target.closest?.(".case");
      if (article && (event === "toggle" ? target === editOf(article) : target.form === formOf(article))) note(article);
    }, true);
  }
}

function note(article) {
  const kept = controls(article).map((one) => (one.matches("[type=checkbox], [type=radio]") ? one.checked : one.value));
  try {
    sessionStorage.setItem(key(article), JSON.stringify({ kept, editing: editOf(article)?.open }));
  } catch {
    /* A full or forbidden store leaves the server's copy. */
  }
  say(article, "");
  clearTimeout(waiting);
  waiting = setTimeout(() => save(article), PAUSE);
}

async function save(article) {
  if (!article.isConnected) return;
  try {
    await post(address(article, "draft"), content(article));
    say(article, "Saved");
  } catch (problem) {
    if (problem.status === 409) onLost(article, problem.message);
    else say(article, "Kept in this tab; not yet on the server");
  }
}

/** Brings back what this tab still holds of the case: after a reload, or when the server was not to be reached. */
export function restore(article) {
  const stored = sessionStorage.getItem(key(article));
  if (!stored || article.dataset.restored) return;
  article.dataset.restored = "yes";
  const { kept, editing } = JSON.parse(stored);
  const fields = controls(article);
  if (kept.length !== fields.length) return;
  fields.forEach((one, index) => {
    if (typeof kept[index] === "boolean") one.checked = kept[index];
    else one.value = kept[index];
  });
  if (editing) editOf(article).open = true;
  say(article, "Brought back what you had written");
}

/** The decision has arrived: nothing of the case needs keeping here. */
export function forget(article) {
  clearTimeout(waiting);
  sessionStorage.removeItem(key(article));
}

export function hold() {
  clearTimeout(waiting);
}

function say(article, words) {
  article.querySelector(".saved").textContent = words;
}
