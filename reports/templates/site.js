"use strict";
// Sorts and filters the tables of findings, and shows whole images one at a time. Without this script
// the tables are as written, and a thumbnail leads to its whole image further down the page.

function readNumbers(row) {
  return row.dataset.numbers.split(" ").map(Number);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("th[data-sort]")];
  for (const head of heads) {
    const column = Number(head.dataset.sort);
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") === "descending"; // the largest first, then turned
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const sign = rising ? 1 : -1;
      const rows = [...body.rows];
      rows.sort((a, b) => {
        const [one, other] = [readNumbers(a), readNumbers(b)];
        return sign * (one[column] - other[column]) || one[0] - other[0];
      });
      body.append(...rows);
    });
  }
}

for (const form of document.querySelectorAll("form.controls")) {
  const rows = [...form.parentElement.querySelectorAll("table.sortable tbody tr")];
  const [text, state] = [form.querySelector("input"), form.querySelector("select")];
  const count = form.querySelector("output");
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    for (const row of rows) {
      const slice = row.querySelector("th").textContent.toLowerCase().replaceAll("\u00a0", " ");
      row.hidden = !slice.includes(wanted) || (state.value !== "" && row.dataset.state !== state.value);
    }
    count.textContent = count.dataset.words.replace("#", rows.filter(row => !row.hidden).length);
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", event => event.preventDefault());
  form.hidden = rows.length < 2;
}

const box = document.getElementById("lightbox");
const stage = box.querySelector(".stage");
const links = [...document.querySelectorAll("a.open")];
let shown = -1;
let zoom = 1;

function setZoom(level) {
  zoom = Math.min(4, Math.max(1, level));
  stage.className = "stage zoom-" + zoom;
}

function show(index) {
  shown = (index + links.length) % links.length;
  const scene = document.getElementById(links[shown].hash.slice(1)).cloneNode(true);
  scene.removeAttribute("id");
  for (const image of scene.querySelectorAll("img")) image.loading = "eager";
  stage.replaceChildren(scene);
  setZoom(1);
  if (!box.open) box.showModal();
  stage.focus();
}

const ACTIONS = {
  before: () => show(shown - 1),
  after: () => show(shown + 1),
  larger: () => setZoom(zoom + 1),
  smaller: () => setZoom(zoom - 1),
  close: () => box.close(),
};
const KEYS = { ArrowLeft: "before", ArrowRight: "after", "+": "larger", "=": "larger", "-": "smaller" };

links.forEach((link, index) => link.addEventListener("click", event => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(index);
}));
box.addEventListener("click", event => {
  const button = event.target.closest("[data-do]");
  if (button) ACTIONS[button.dataset.do]();
});
box.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || !KEYS[event.key]) return;
  if (zoom > 1 && event.key.startsWith("Arrow")) return; // they move the enlarged image
  event.preventDefault();
  ACTIONS[KEYS[event.key]]();
});
box.addEventListener("close", () => { links[shown]?.focus(); });
