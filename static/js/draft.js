/* What the owner types into the draft is kept in this tab until the server has it, and sent again when it could not. */

const AGAIN = 5000;
const fields = () => document.querySelectorAll(".card-form [hx-post]");
const key = (field) => `hitl:codebook:${field.id}`;
const state = (field) => document.getElementById(`saved-${field.form.dataset.category}`);
const waiting = new Set();

function say(field, words) {
  const place = state(field);
  place.textContent = words;
  place.classList.remove("refused");
}

function keep(field) {
  try {
    sessionStorage.setItem(key(field), field.value);
  } catch {
    /* A full or forbidden store leaves the page itself. */
  }
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.(".card-form [hx-post]")) return;
  keep(target);
  say(target, "Saving…");
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt.form?.dataset.category) detail.elt.dataset.sent = detail.elt.value;
});

// A refusal says why in the place of the state; the text stays in its field.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (![409, 422].includes(detail.xhr.status) || !detail.target.classList.contains("saved")) return;
  detail.shouldSwap = true;
  if (detail.xhr.status === 409) detail.swapOverride = "innerHTML";
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const field = detail.elt;
  if (!field.form?.dataset.category) return;
  const status = detail.xhr.status;
  if (detail.successful) {
    waiting.delete(field);
    if (field.dataset.sent === field.value) sessionStorage.removeItem(key(field));
  } else if (status !== 409 && status !== 422) {
    waiting.add(field);
    say(field, "Kept in this tab; not yet on the server");
  }
});

setInterval(() => {
  for (const field of waiting) window.htmx.trigger(field, "change");
}, AGAIN);

addEventListener("beforeunload", (event) => {
  if (waiting.size) event.preventDefault();
});

for (const field of fields()) {
  const kept = sessionStorage.getItem(key(field));
  if (kept === null) continue;
  if (kept === field.value) {
    sessionStorage.removeItem(key(field));
    continue;
  }
  field.value = kept;
  say(field, "Brought back what you had typed");
  window.htmx.trigger(field, "change");
}
