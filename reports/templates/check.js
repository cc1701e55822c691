"use strict";
// Keys press the buttons, and the next page takes the place of this one without a reload. The server
// alone knows what comes next: without this script the same buttons are plain forms.
const NAMES = { " ": "Space" };
let busy = false; // until the next sample is seen; keys pressed before that are no answers

function findButton(key) {
  const name = NAMES[key] ?? (key.length === 1 ? key.toLowerCase() : key);
  const buttons = [...document.querySelectorAll("[data-keys]")];
  return buttons.find(button => button.dataset.keys.split(" ").includes(name));
}

async function show(address, options) {
  const notice = document.getElementById("notice");
  busy = true;
  try {
    const reply = await fetch(address, options);
    const text = await reply.text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const main = page.querySelector("main");
    if (!main) throw new Error(text.slice(0, 300));
    document.querySelector("main").replaceWith(main);
    document.title = page.title;
    notice.hidden = true;
    await main.querySelector("img.shown")?.decode().catch(() => {});
    main.querySelector("#question")?.focus({ preventScroll: true });
  } catch (error) {
    const asked = error instanceof TypeError ? "The server does not answer." : error.message;
    notice.textContent = asked + " What was answered before is kept. Start the command again and reload this page.";
    notice.hidden = false;
  } finally {
    busy = false;
  }
}

addEventListener("keydown", event => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const pressed = event.target.closest?.("button, a, summary, [tabindex='0']");
  if (pressed && [" ", "Enter"].includes(event.key)) return; // the browser presses what has the focus
  const button = findButton(event.key);
  if (!button) return;
  event.preventDefault();
  if (!busy) button.click();
});

addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  if (!busy) show(form.action, { method: "POST", body });
});

addEventListener("click", event => {
  const link = event.target.closest("a[data-keys]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!busy) show(link.href);
});
