/* Handling time: from painting on the screen to the decision, while the page is in view. */

const spent = new WeakMap();
let article = null;
let since = null;

function pause() {
  if (article && since !== null) spent.set(article, (spent.get(article) ?? 0) + performance.now() - since);
  since = null;
}

function go() {
  if (article && document.visibilityState === "visible") since = performance.now();
}

document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? go() : pause()));

/** Starts, or goes on, counting for the case that is on the screen now. */
export function time(painted) {
  pause();
  article = painted;
  go();
}

/** Milliseconds that a case has been looked at. */
export function handled(painted) {
  const running = painted === article && since !== null ? performance.now() - since : 0;
  return Math.round((spent.get(painted) ?? 0) + running);
}
