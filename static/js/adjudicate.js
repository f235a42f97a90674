/* The last word by keyboard: a digit sides with a decision; after A, E or R digits toggle categories, Enter gives it. */

const form = document.getElementById("settle");
const fields = document.getElementById("adjudicate");
const typing = (target) =>
  target.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=submit])");
const chosen = () => form.querySelector("[name=verdict]:checked");

function find(name, value) {
  return [...fields.querySelectorAll(`[data-${name}]`)].find((one) => one.dataset[name] === value);
}

/** Another verdict was chosen: from here on the digits mean categories, until Esc. */
function otherwise(radio) {
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  if (radio.value === "edit") document.getElementById("final_answer").focus();
  else radio.focus();
}

function leave(event) {
  if (typing(event.target)) return event.target.blur();
  if (chosen()) chosen().checked = false;
  document.activeElement.blur();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || localStorage.getItem("hitl:keys") === "off") return;
  if (event.key === "Escape") return leave(event);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && chosen()) return form.requestSubmit(form.querySelector("[data-enter]"));
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  const key = event.key.toLowerCase();
  if (/^[1-9]$/.test(key) && chosen()) {
    const box = find("digit", key);
    if (box) box.checked = !box.checked;
  } else if (key === "enter") {
    if (event.target.closest("a, button, summary")) return;
    if (chosen()) form.requestSubmit(form.querySelector("[data-enter]"));
  } else if (find("focus", key)) {
    find("focus", key).focus();
  } else {
    const element = find("key", key);
    if (!element) return;
    if (element.type === "radio") otherwise(element);
    else element.click();
  }
  event.preventDefault();
});

// One word is enough: a second press while the first is under way says nothing more.
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => delete form.dataset.sent);
