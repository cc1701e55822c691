"use strict";
// Keys move between what a page lists and press its links and buttons. Without this script every page
// works by its links and forms alone.
const items = () => [...document.querySelectorAll("[data-item]")];
let current = -1;

function moveTo(index) {
  const all = items();
  if (!all.length) return;
  all[current]?.classList.remove("current");
  current = Math.max(0, Math.min(all.length - 1, index));
  const item = all[current];
  item.classList.add("current");
  (item.querySelector("a.open, a, button, input") ?? item).focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

function follow(selector) {
  document.querySelector(selector)?.click();
}

function answer(key) {
  items()[current]?.querySelector(`[data-answer="${key}"]`)?.click();
}

function undo() {
  const form = document.querySelector("form[data-undo]");
  if (form) form.requestSubmit();
}

function notify(text) {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  notice.hidden = !text;
}

const KEYS = {
  j: () => moveTo(current + 1),
  k: () => moveTo(current - 1),
  "/": () => {
    const field = document.querySelector("[data-search]");
    if (field) field.focus();
    else location.href = "/samples";
  },
  x: () => items()[current]?.querySelector("[data-pick]")?.click(),
  s: () => document.querySelector("[data-save]")?.focus(),
  m: () => follow("[data-similar]"),
  1: () => answer("1"),
  0: () => answer("0"),
  "?": () => answer("?"),
  u: () => undo(),
  n: () => follow("a[rel=next]"),
  b: () => history.back(),
  g: () => { location.href = "/map"; },
};

addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

addEventListener("focusin", event => {
  const item = event.target.closest?.("[data-item]");
  if (!item) return;
  items()[current]?.classList.remove("current");
  current = items().indexOf(item);
  item.classList.add("current");
});

// An answer to a label is sent without leaving the page; the next label is asked about.
addEventListener("submit", async event => {
  const form = event.target;
  if (!form.matches("[data-quiet]")) return;
  event.preventDefault();
  const said = event.submitter;
  const body = new URLSearchParams(new FormData(form, said));
  try {
    const reply = await fetch(form.action, { method: "POST", body });
    if (!reply.ok) {
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      throw new Error(page.querySelector("[role=alert]")?.textContent ?? reply.statusText);
    }
    form.querySelector("output").textContent = "kept: " + said.textContent.trim();
    notify("");
    const at = items().indexOf(form.closest("[data-item]"));
    if (at >= 0) moveTo(at + 1);
  } catch (error) {
    notify(error instanceof TypeError ? "The server does not answer." : error.message);
  }
});

// The address that is printed ends in the token, which a browser does not send: the form does.
const login = document.querySelector("form[data-login]");
if (login && location.hash.length > 1) {
  login.elements.token.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  login.requestSubmit();
}
