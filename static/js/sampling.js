/* What the shares of the mix come to, as they are typed. The server checks it all the same. */

const total = document.querySelector("[data-total]");
const shares = [...document.querySelectorAll("[data-share]")];

function add() {
  const sum = shares.reduce((sofar, field) => sofar + (Number.parseFloat(field.value) || 0), 0);
  total.value = String(Math.round(sum * 100) / 100);
  total.closest(".total").toggleAttribute("data-wrong", Math.abs(sum - 100) > 1e-6);
}

for (const field of shares) field.addEventListener("input", add);
if (total) add();
