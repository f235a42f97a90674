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
  say(target, "");
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (!detail.elt.form?.dataset.category) return;
  detail.elt.dataset.sent = detail.elt.value;
  say(detail.elt, "Saving…");
});

// A refusal says why in the place of the state; the text stays in its field.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (![409, 422].includes(detail.xhr.status) || !detail.target.classList.contains("saved")) return;
  detail.shouldSwap = true;
  if (detail.xhr.status === 409) detail.swapOverride = "innerHTML";
});

// A key that followed its title does not take the place of one that is being typed.
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  const field = detail.target;
  if (field.matches(".card-form [hx-post]") && (field === document.activeElement || sessionStorage.getItem(key(field)) !== null)) {
    detail.shouldSwap = false;
  }
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const field = detail.elt;
  if (!field.form?.dataset.category) return;
  const status = detail.xhr.status;
  waiting.delete(field);
  if (detail.successful) {
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

// htmx has taken up the fields by then.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of fields()) {
    const kept = sessionStorage.getItem(key(field));
    if (kept === null) continue;
    if (kept === field.value) {
      sessionStorage.removeItem(key(field));
      continue;
    }
    field.value = kept;
    say(field, "Brought back what you had typed");
    waiting.add(field);
    window.htmx.trigger(field, "change");
  }
});
