/* Claims and the documents that carry them point at each other; a long document opens at its passage. */

const docs = (article) => [...article.querySelectorAll(".doc")];
const docNo = (article, number) => article.querySelector(`.doc[data-number="${number}"]`);
const box = (doc) => doc.querySelector("[name=incorrect]");
let picking = null;

/** Makes a case ready: claims know their documents, and each folded document is scrolled to its first passage. */
export function open(article) {
  let claims = [];
  for (const one of article.querySelectorAll(".draft .claim:not(.no), .draft sup.refs")) {
    if (one.matches(".claim")) claims.push(one);
    else {
      const numbers = [...one.children].map((link) => link.textContent).join(" ");
      for (const claim of [...claims, one]) claim.dataset.docs = numbers;
      claims = [];
    }
  }
  for (const doc of article.querySelectorAll(".doc.long")) {
    const text = doc.querySelector(".text");
    const mark = text.querySelector("mark");
    if (!mark) continue;
    const below = mark.getBoundingClientRect().top - text.getBoundingClientRect().top;
    if (below > text.clientHeight * 0.6) text.scrollTop = below - 24;
  }
}

/** Puts the focus on the next or previous document. */
export function move(article, step) {
  const all = docs(article);
  if (!all.length) return;
  const here = all.indexOf(document.activeElement?.closest(".doc"));
  const to = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1);
  all[to].focus({ preventScroll: true });
  all[to].scrollIntoView({ block: "nearest" });
}

/** Marks the focused document as incorrect; where none has the focus, the next digit says which. */
export function mark(article, say) {
  const focused = document.activeElement?.closest(".doc");
  const all = docs(article);
  if (focused) return box(focused).click();
  if (all.length < 2) return all.length ? box(all[0]).click() : say("There is no document to mark.");
  picking = article;
  article.classList.add("pick");
  say(`Which document is incorrect? 1 to ${all.length}`);
}

/** True if the digit was the answer to "which document?". */
export function picked(article, digit) {
  if (picking !== article) return false;
  stop();
  const doc = docNo(article, digit);
  if (doc) {
    box(doc).click();
    doc.scrollIntoView({ block: "nearest" });
  }
  return true;
}

/** True if there was a question to drop. */
export function stop() {
  const was = picking;
  picking?.classList.remove("pick");
  picking = null;
  return was !== null;
}

/** Lights up the other end of what the pointer or the focus is on. */
export function link(host) {
  const show = ({ target }) => {
    for (const one of host.querySelectorAll(".lit:not(section)")) one.classList.remove("lit");
    const article = target.closest?.(".case");
    if (!article) return;
    const claim = target.closest("[data-docs]");
    const doc = target.closest(".doc");
    if (claim) {
      const numbers = target.closest("sup a") ? [target.textContent] : claim.dataset.docs.split(" ");
      for (const number of numbers) docNo(article, number)?.classList.add("lit");
    } else if (doc) {
      for (const one of article.querySelectorAll(`.claim[data-docs~="${doc.dataset.number}"]`)) one.classList.add("lit");
    }
  };
  host.addEventListener("pointerover", show);
  host.addEventListener("focusin", show);
  host.addEventListener("focusin", ({ target }) => {
    const more = target.matches(".doc.long") && target.querySelector("[data-more]");
    if (!more || more.checked) return;
    more.checked = true;
    target.querySelector(".text").scrollTop = 0;
  });
  // Pressing a button in a document is not reading it.
  host.addEventListener("mousedown", (event) => event.target.closest(".toggle") && event.preventDefault());
  host.addEventListener("click", (event) => {
    const article = event.target.closest(".case");
    const number = event.target.closest("sup a")?.textContent ?? event.target.closest(".claim[data-docs]")?.dataset.docs.split(" ")[0];
    const doc = article && number && docNo(article, number.trim());
    if (!doc || String(getSelection())) return;
    event.preventDefault();
    doc.focus({ preventScroll: true });
    doc.scrollIntoView({ block: "nearest" });
  });
}
