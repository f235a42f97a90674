/* Keeps the claim while the reviewer is at work, and lets it run out when they are not. */

import { address } from "./autosave.js";
import { post } from "./post.js";

const EVERY = 60_000;
let active = performance.now();
let last = performance.now();

/** `painted` gives the case on the screen, `next` the one on deck; `lost` is called when a claim has gone. */
export function keep({ painted, next, lost }) {
  const idle = () => performance.now() - active > 60_000 * Number(painted()?.dataset.lease ?? 10);

  async function beat() {
    const article = painted();
    if (!article || document.visibilityState !== "visible" || idle()) return;
    last = performance.now();
    const deck = next();
    const body = new URLSearchParams({ token: article.dataset.token });
    if (deck) {
      body.set("next_slot", deck.dataset.slot);
      body.set("next_token", deck.dataset.token);
    }
    try {
      await post(address(article, "heartbeat"), body);
    } catch (problem) {
      if (problem.status === 409 && painted() === article) lost(article, problem.message);
    }
  }

  function stir() {
    const asleep = performance.now() - last > EVERY;
    active = performance.now();
    if (asleep) beat();
  }

  for (const event of ["keydown", "pointerdown", "pointermove", "scroll"]) {
    document.addEventListener(event, stir, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", stir);
  setInterval(beat, EVERY);
}
