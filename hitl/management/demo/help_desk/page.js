/* The help desk's own page. It knows nothing of feedback: the widget finds what is marked. */
const talk = document.querySelector("#talk");
const form = document.querySelector("#ask");
const trouble = document.querySelector("#trouble");
const plain = (text) => text.replaceAll("**", "");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

for (const answer of talk.querySelectorAll(".answer")) answer.textContent = plain(answer.textContent);

async function ask(question, insteadOf = "") {
  trouble.textContent = "";
  try {
    const reply = await fetch("/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ question, instead_of: insteadOf }),
    });
    if (!reply.ok) throw new Error(await reply.text());
    show(question, await reply.json());
  } catch {
    trouble.textContent = "The help desk does not answer just now. Your question is still there; try again.";
    form.question.value ||= question;
  }
}

/** Puts an exchange at the end of the talk, and writes the answer as a model would: word by word. */
async function show(question, { trace, answer }) {
  const made = talk.querySelector("li").cloneNode(true);
  made.querySelectorAll("hitl-feedback").forEach((one) => one.remove());
  made.querySelector(".asked").lastChild.data = question;
  const said = made.querySelector(".answer");
  const more = made.querySelector(".more");
  said.textContent = "";
  said.dataset.hitlTrace = trace;
  said.dataset.hitlText = answer;
  said.dataset.hitlState = "streaming";
  more.hidden = true;
  more.querySelector("input").value = "";
  talk.append(made);
  made.scrollIntoView({ block: "nearest" });
  for (const word of plain(answer).split(/(?<=\s)/)) {
    if (!calm) await new Promise((resume) => setTimeout(resume, 70));
    said.append(word);
  }
  said.normalize();
  delete said.dataset.hitlState;
  more.hidden = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = form.question.value.trim();
  if (question) ask(question);
  form.question.value = "";
});

talk.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.querySelector("input");
  const meant = field.value.trim();
  if (meant) ask(meant);
  field.value = "";
});

talk.addEventListener("click", (event) => {
  const exchange = event.target.closest("li");
  const said = exchange.querySelector(".answer");
  if (event.target.matches("[data-hitl-regenerate]")) {
    ask(exchange.querySelector(".asked").lastChild.data, said.dataset.hitlText);
  }
  if (event.target.matches("[data-hitl-copy]")) navigator.clipboard.writeText(said.dataset.hitlText);
});
