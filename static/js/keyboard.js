/* Single keys press what carries them: `data-key` on a button, a link, a box or a summary. Never inside a text field. */

import { toggle } from "./panels.js";

const STORE = "hitl:keys";
const dialog = document.getElementById("keys");
const on = document.getElementById("keys-on");
let pressed = 0;
const typing = (target) =>
  target.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=submit])");

/** When the key was pressed that brought this event about; else now. */
export const since = (event) => (event.timeStamp - pressed < 100 ? pressed : event.timeStamp);

/**
 * `press` maps a key to a function(event) of its own; whatever is not in it goes to the element with that data-key.
 * `digit(n)` may take a digit before the categories do; `define(n)` explains a category; `commit()` is Ctrl+Enter;
 * `escape()` is Esc outside a dialog.
 */
export function listen({ press, digit, define, commit, escape }) {
  on.checked = localStorage.getItem(STORE) !== "off";
  on.addEventListener("change", () => localStorage.setItem(STORE, on.checked ? "on" : "off"));
  document.addEventListener("click", ({ target }) => target.closest("[data-keys]") && show());

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || dialog.open) return;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
      pressed = event.timeStamp;
      return commit(event);
    }
    if (key === "Escape") return escape(event);
    if (event.ctrlKey || event.metaKey || event.altKey || typing(target)) return;
    if (key === "?") return show();
    if (!on.checked) return;

    const number = /^\d$/.test(key) ? key : event.code.match(/^Digit(\d)$/)?.[1];
    if (number !== undefined) {
      event.preventDefault();
      if (event.shiftKey && key !== number) return define(number);
      if (!event.repeat && !digit(number)) find(number)?.click();
      return;
    }
    const name = key.length === 1 ? key.toLowerCase() : key;
    const own = press[name];
    const element = own ? null : find(name);
    if (!own && !element) return;
    pressed = event.timeStamp;
    if (event.repeat && !"jk".includes(name)) return event.preventDefault();
    if (own ? own(event) !== false : (act(element), true)) event.preventDefault();
  });
}

function show() {
  dialog.showModal();
  dialog.querySelector("button").focus();
}

function act(element) {
  if (element.matches("summary")) toggle(element.parentElement);
  else element.click();
}

function find(key) {
  const found = /^[a-z0-9]$/.test(key) && document.querySelector(`#case [data-key="${key}"], #status [data-key="${key}"]`);
  return found && !found.closest("[inert]") ? found : null;
}
