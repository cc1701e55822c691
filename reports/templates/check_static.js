"use strict";
// The whole questionnaire in one file: answers are remembered by the browser and saved as JSON, which
// `weakspot check-labels --import` reads. Nothing is sent.
const task = JSON.parse(document.getElementById("content").textContent);
const { right, wrong, cannotSay, unknown } = task.words;
const NAMES = { " ": "Space" };
const KEY = `weakspot ${task.name} ${task.draw}`;
const find = id => document.getElementById(id);
let answers = remember(); // [number of the question, answer, value, time], in the order given
let choosing = false;
let unsaved = false;

function remember() {
  try { return JSON.parse(localStorage.getItem(KEY)) ?? []; } catch { return []; }
}

function keep() {
  unsaved = answers.length > 0;
  try { localStorage.setItem(KEY, JSON.stringify(answers)); } catch { /* it can still be saved */ }
}

function give(number, answer, value) {
  answers.push([number, answer, value, new Date().toISOString()]);
  choosing = false;
  keep();
  show();
  find("question").focus({ preventScroll: true });
}

function addButton(text, keys, act) {
  const button = document.createElement("button");
  button.dataset.keys = keys.join(" ");
  button.append(text, ...keys.map(key => Object.assign(document.createElement("kbd"), { textContent: key })));
  button.addEventListener("click", act);
  find("answers").append(button);
}

function addChoices(number, question) {
  const others = task.values[question.attribute].filter(value => value !== question.shown);
  others.forEach((value, place) =>
    addButton(value, task.picks.slice(place, place + 1), () => give(number, wrong, value)));
  if (question.shown === unknown)
    addButton("None of these", ["0"], () => give(number, right, null));
  else
    addButton("Wrong, true value not known", ["Enter"], () => give(number, wrong, null));
}

function addJudgements(number, question) {
  const values = task.values[question.attribute];
  const others = values.filter(value => value !== question.shown);
  const twoValued = values.length === 2 && others.length === 1;
  addButton("Right", ["y", "1"], () => give(number, right, question.shown));
  addButton("Wrong", ["n", "0"], () => {
    if (twoValued) give(number, wrong, others[0]);
    else { choosing = true; show(); }
  });
}

function show() {
  const done = new Set(answers.map(answer => answer[0]));
  const number = task.questions.findIndex((_, place) => !done.has(place));
  const total = task.questions.length;
  find("progress").max = Math.max(total, 1);
  find("progress").value = done.size;
  find("count").textContent = `${done.size} of ${total} answered, ${total - done.size} left`;
  find("answers").replaceChildren();
  find("picture").closest("figure").hidden = number < 0;
  if (number < 0) {
    find("question").textContent = "All are answered";
    find("about").textContent = "Save the answers and give the file back.";
  } else {
    const question = task.questions[number];
    const unlabelled = question.shown === unknown;
    const asked = unlabelled ? "which value?" : choosing ? `not ${question.shown}, but?` : `${question.shown}?`;
    find("question").textContent = `${question.attribute}: ${asked}`;
    find("about").textContent = (question.of_object ? "It is about what is in the frame." : "It is about the whole image.")
      + (unlabelled ? " The sample has no label yet." : "");
    find("picture").src = task.pictures[question.sample_id] ?? "data:,";
    if (choosing || unlabelled) addChoices(number, question); else addJudgements(number, question);
    addButton("Can\u2019t say", ["?", "Space"], () => give(number, cannotSay, null));
  }
  if (choosing) addButton("Back", ["Escape"], () => { choosing = false; show(); });
  if (answers.length) addButton("Undo the last answer", ["u"], () => { answers.pop(); choosing = false; keep(); show(); });
}

function save() {
  const checker = find("checker").value.trim() || "me";
  const rows = answers.map(([number, answer, value, time]) => {
    const { of_object, ...row } = task.questions[number];
    return { ...row, answer, value, checker, checked_at: time };
  });
  const text = JSON.stringify({ audit: task.name, answers: rows }, null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `checks-${checker.replace(/[^\w-]+/g, "-")}.json`;
  link.click();
  unsaved = false;
  find("saved").textContent = `Saved ${rows.length} answers as ${link.download}.`;
}

addEventListener("keydown", event => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const focused = event.target.closest?.("button, input");
  if (focused?.matches("input") || (focused && [" ", "Enter"].includes(event.key))) return;
  const name = NAMES[event.key] ?? event.key;
  const lower = name.length === 1 && name !== "S" ? name.toLowerCase() : name;
  const buttons = [...document.querySelectorAll("[data-keys]")];
  const button = buttons.find(one => one.dataset.keys.split(" ").includes(lower));
  if (!button) return;
  event.preventDefault();
  document.activeElement?.blur?.();
  button.click();
});
addEventListener("beforeunload", event => { if (unsaved) event.preventDefault(); });
find("save").addEventListener("click", save);
show();
