// How long the words become is said while they are typed. The server counts, and nobody else: this only asks it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const text = document.querySelector("textarea[data-count-url]");
  if (!text) return;
  const said = document.createElement("p");
  said.id = "words-count";
  said.className = "help";
  said.setAttribute("role", "status");
  text.insertAdjacentElement("afterend", said);

  const pause = 300; // milliseconds without a key before the server is asked
  let waiting = 0;
  let asked = 0;

  const ask = async () => {
    const mine = ++asked;
    let words = "";
    try {
      const answer = await fetch(text.dataset.countUrl, { method: "POST", body: new FormData(text.form) });
      if (answer.ok) words = (await answer.json()).said;
    } catch {
      // The server cannot be reached: no number is better than an old one.
    }
    if (mine === asked) said.textContent = words;
  };

  text.form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, pause);
  });
  ask();
});
