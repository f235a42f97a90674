/* Error analysis without the mouse: Enter saves by itself; two more keys press their buttons, wherever the cursor is. */

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat) return;
  const coding = document.getElementById("coding");
  if (event.target !== document.body && !coding?.contains(event.target)) return;
  const wanted = event.key === "Escape" ? "[data-later]" : event.key === "Enter" && (event.ctrlKey || event.metaKey) ? "[data-nothing]" : null;
  const button = wanted && coding.querySelector(wanted);
  if (!button) return;
  event.preventDefault();
  if (wanted === "[data-later]" && document.getElementById("what").value) return;
  button.click();
});
