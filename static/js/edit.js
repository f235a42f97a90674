/* The draft, edited in place: opened where it stands, the difference shown after a pause, nothing sent by mistake. */

import { address, editOf, isChanged } from "./autosave.js";
import { post } from "./post.js";

const PAUSE = 450;
let waiting = null;

const field = (article) => editOf(article).querySelector("textarea");
export const isOpen = (article) => editOf(article).open;
export function openEdit(article) {
  editOf(article).open = true;
  const text = field(article);
  if (!text.dataset.begun) text.setSelectionRange(0, 0);
  text.dataset.begun = "yes";
  text.focus();
}

export function closeEdit(article) {
  editOf(article).open = false;
}

/** Shows what changed once the typing pauses. The server draws it, so that both sides see the same difference. */
export function showChanges(host) {
  host.addEventListener("input", ({ target }) => {
    if (!target.matches(".answer")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(target.closest(".case")), PAUSE);
  });
  host.addEventListener("click", ({ target }) => {
    if (target.closest("[data-close-edit]")) closeEdit(target.closest(".case"));
  });
}

async function draw(article) {
  if (!article.isConnected) return;
  const written = field(article).value;
  const box = article.querySelector(".diff");
  if (!isChanged(article)) {
    box.hidden = true;
    return;
  }
  try {
    const response = await post(address(article, "diff"), new URLSearchParams({ final_answer: written }));
    const html = await response.text();
    if (field(article).value !== written) return;
    box.innerHTML = html;
    box.hidden = false;
    const first = box.querySelector("ins, del");
    if (first) box.scrollTop = first.offsetTop - 40;
  } catch {
    box.hidden = true;
  }
}
