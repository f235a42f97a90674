/* What opens over the case: one at a time, the first field ready to type in, closed by Esc or a press elsewhere. */

const open = () => [...document.querySelectorAll(".menu[open]")];
const fields = "textarea, input:not([type=hidden], [type=radio], [type=checkbox]), select";

/** True if something was open. */
export function closeAll(except) {
  const all = open().filter((menu) => menu !== except);
  for (const menu of all) menu.open = false;
  return all.length > 0;
}

/** Opens or closes at once, so that the next letter already lands in the field. */
export function toggle(panel) {
  panel.open = !panel.open;
  if (panel.open) ready(panel);
}

function ready(panel) {
  if (panel.matches(".menu")) closeAll(panel);
  if (!panel.matches("[data-panel]") || panel.contains(document.activeElement?.closest(fields))) return;
  panel.querySelector(fields)?.focus();
  panel.scrollIntoView({ block: "nearest" });
}

export function watch() {
  document.addEventListener("toggle", ({ target }) => target.matches?.(".menu, .finding") && target.open && ready(target), true);
  document.addEventListener("click", ({ target }) => target.closest?.(".done") && closeAll());
  document.addEventListener("pointerdown", ({ target }) => closeAll(target.closest?.(".menu")));
}

/** Opens what the categories mean; with a digit, at that category. */
export function define(article, digit) {
  const menu = article.querySelector(".definitions");
  const box = digit && article.querySelector(`.cat input[data-key="${digit}"]`);
  const wanted = box && menu.querySelector(`[data-category="${box.value}"]`);
  const again = menu.open && (!wanted || wanted.classList.contains("lit"));
  for (const one of menu.querySelectorAll(".lit")) one.classList.remove("lit");
  menu.open = !again;
  if (again || !wanted) return;
  wanted.classList.add("lit");
  wanted.scrollIntoView({ block: "nearest" });
}
