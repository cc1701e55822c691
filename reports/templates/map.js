"use strict";
// Draws the points of a map, by WebGL2 or, where there is none, on a plain canvas. Nothing is sent.
const content = JSON.parse(document.getElementById("content").textContent);
const find = id => document.getElementById(id);
const UNKNOWN = 255, n = content.n, STEP = 0.15, NEAR = 12, DRAG = 4;
const GRAY = [176, 180, 186], RED = [178, 24, 43], CHOSEN = [20, 80, 140];
const PALETTE = ["4477aa", "ee6677", "228833", "ccbb44", "66ccee", "aa3377", "8c6d31", "7b4173", "e6550d", "31a354",
  "756bb1", "636363", "1b9e77", "d95f02", "7570b3", "e7298a", "66a61e", "e6ab02", "a6761d", "17becf"]
  .map(text => [0, 2, 4].map(at => parseInt(text.slice(at, at + 2), 16)));
const started = performance.now();
const box = find("picture");
const base = document.createElement("canvas"), over = document.createElement("canvas");
let places, codes, members, draw, ids = null, order = null;
let view = { x: 0, y: 0, zoom: 1 }, chosen = new Uint8Array(n), path = null, held = null, shownFinding = -1;

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), one => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

function readIds(bytes) { // differences in groups of seven bits, smallest first
  const read = [];
  let before = 0n, gap = 0n, shift = 0n;
  for (const byte of bytes) {
    gap |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) { before += gap; read.push(before.toString(16).padStart(content.ids.digits, "0")); gap = shift = 0n; }
  }
  return read;
}

function openWebGL(canvas) {
  const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const compile = (kind, source) => { const one = gl.createShader(kind); gl.shaderSource(one, source); gl.compileShader(one); return one; };
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl.VERTEX_SHADER, `#version 300 es
    in vec2 place; in vec4 color; uniform vec4 view; uniform float size; out vec4 ink;
    void main() { vec2 at = (place - view.xy) * view.z * 2.0 - 1.0; gl_Position = vec4(at.x, -at.y, 0.0, 1.0);
      gl_PointSize = size; ink = color; }`));
  gl.attachShader(program, compile(gl.FRAGMENT_SHADER, `#version 300 es
    precision mediump float; in vec4 ink; out vec4 paint;
    void main() { vec2 off = gl_PointCoord - 0.5; if (dot(off, off) > 0.25) discard; paint = ink; }`));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  const fill = (target, data) => { gl.bindBuffer(target, gl.createBuffer()); gl.bufferData(target, data, gl.STATIC_DRAW); };
  const bind = (name, size, kind) => { const at = gl.getAttribLocation(program, name); gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, size, kind, true, 0, 0); };
  fill(gl.ARRAY_BUFFER, places);
  bind("place", 2, gl.UNSIGNED_SHORT);
  let colorBuffer = null, orderBuffer = null;
  return (colors, changed) => {
    if (changed) {
      gl.deleteBuffer(colorBuffer); gl.deleteBuffer(orderBuffer);
      colorBuffer = gl.createBuffer(); orderBuffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, colorBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, colors, gl.DYNAMIC_DRAW);
      bind("color", 4, gl.UNSIGNED_BYTE);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, orderBuffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.DYNAMIC_DRAW);
    }
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0.98, 0.98, 0.98, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform4f(gl.getUniformLocation(program, "view"), view.x, view.y, view.zoom, 0);
    gl.uniform1f(gl.getUniformLocation(program, "size"), pointSize());
    gl.drawElements(gl.POINTS, n, gl.UNSIGNED_INT, 0);
  };
}

function openPlain(canvas) {
  const pen = canvas.getContext("2d");
  return colors => {
    const size = pointSize(), side = canvas.width;
    pen.fillStyle = "#fafafa";
    pen.fillRect(0, 0, side, side);
    let before = -1;
    for (const i of order) {
      const x = (places[2 * i] / 65535 - view.x) * view.zoom * side, y = (places[2 * i + 1] / 65535 - view.y) * view.zoom * side;
      if (x < -size || y < -size || x > side + size || y > side + size) continue;
      const ink = colors[4 * i] << 16 | colors[4 * i + 1] << 8 | colors[4 * i + 2];
      if (ink !== before) pen.fillStyle = `#${ink.toString(16).padStart(6, "0")}`;
      before = ink;
      pen.fillRect(x - size / 2, y - size / 2, size, size);
    }
  };
}

const pointSize = () => (n > 30000 ? 2 : n > 5000 ? 3 : 5) * Math.sqrt(Math.min(view.zoom, 9)) * (base.width / 720);
const column = () => content.columns[find("column").selectedIndex];

function mix(share) { return GRAY.map((one, at) => Math.round(one + (RED[at] - one) * share)); }

function inkOf(one, code) {
  if (code === UNKNOWN) return [214, 216, 220];
  if (one.kind === "error") return mix(code / 254);
  return one.values[code] === "unknown" || one.values[code] === "other" ? GRAY : PALETTE[code % PALETTE.length];
}

function paint(changed = true) {
  if (changed) {
    const one = column(), own = codes[find("column").selectedIndex], anyChosen = chosen.includes(1);
    const inks = Array.from({ length: 256 }, (_, code) => inkOf(one, code));
    const colors = new Uint8Array(4 * n);
    let head = 0, tail = n; // what is to lie on top is drawn last
    order = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const ink = inks[own[i]], faded = anyChosen && !chosen[i];
      for (let at = 0; at < 3; at++) colors[4 * i + at] = faded ? 226 + ink[at] * 0.08 : ink[at];
      colors[4 * i + 3] = 255;
      const onTop = chosen[i] || (!anyChosen && one.kind === "error" && own[i] > 0 && own[i] < UNKNOWN);
      order[onTop ? --tail : head++] = i;
    }
    paint.colors = colors;
  }
  draw(paint.colors, changed);
  drawLines();
}

/** Colored by the error of a system, its findings alone are outlined: ranks of several systems would mix. */
function isOutlined(one, number) {
  if (shownFinding >= 0) return number === shownFinding;
  return column().kind !== "error" || column().name === one.system;
}

function drawLines() {
  const pen = over.getContext("2d"), side = over.width;
  const put = ([x, y]) => [(x - view.x) * view.zoom * side, (y - view.y) * view.zoom * side];
  pen.clearRect(0, 0, side, side);
  pen.lineJoin = "round";
  content.findings.forEach((one, number) => {
    if (!isOutlined(one, number)) return;
    pen.lineWidth = (number === shownFinding ? 3 : 1.6) * side / 720;
    pen.strokeStyle = `rgb(${CHOSEN})`;
    for (const line of one.lines) {
      pen.beginPath();
      for (const point of line) pen.lineTo(...put(point));
      pen.closePath();
      pen.stroke();
    }
    const top = one.lines.flat().reduce((best, point) => (best && best[1] < point[1] ? best : point), null);
    if (top) { pen.fillStyle = `rgb(${CHOSEN})`; pen.font = `600 ${16 * side / 720}px sans-serif`; pen.fillText(one.rank, ...put(top)); }
  });
  pen.textAlign = "center";
  pen.lineWidth = 4 * side / 720;
  pen.strokeStyle = "#fafafa";
  pen.fillStyle = "#1f2328";
  for (const [letter, x, y] of content.regions) {
    pen.font = `${16 * side / 720}px sans-serif`;
    pen.strokeText(letter, ...put([x, y]));
    pen.fillText(letter, ...put([x, y]));
  }
  if (path && path.length > 1) {
    pen.lineWidth = 2 * side / 720;
    pen.strokeStyle = "#000";
    pen.setLineDash([6, 4]);
    pen.beginPath();
    for (const point of path) pen.lineTo(...put(point));
    pen.stroke();
    pen.setLineDash([]);
  }
}

function writeLegend() {
  const one = column(), own = codes[find("column").selectedIndex], counts = new Uint32Array(256);
  for (const code of own) counts[code]++;
  const rows = one.kind === "error"
    ? [[`${one.unit} 0`, GRAY], [`${one.unit} ${Number(one.highest.toPrecision(3))}${one.highest > 1 ? " or more" : ""}`, RED]]
    : one.values.map((value, code) => [`${value} (${counts[code].toLocaleString("en")})`, inkOf(one, code)]);
  if (counts[UNKNOWN]) rows.push([`not known (${counts[UNKNOWN].toLocaleString("en")})`, inkOf(one, UNKNOWN)]);
  find("legend").replaceChildren(...rows.map(([text, ink]) => {
    const row = document.createElement("li"), mark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    mark.innerHTML = `<circle cx="5" cy="5" r="5" fill="rgb(${ink})"/>`;
    mark.setAttribute("viewBox", "0 0 10 10");
    mark.setAttribute("aria-hidden", "true");
    row.append(mark, text);
    return row;
  }));
}

function move(x, y, zoom = view.zoom) {
  zoom = Math.min(Math.max(zoom, 1), 200);
  const most = 1 - 1 / zoom;
  view = { x: Math.min(Math.max(x, 0), most), y: Math.min(Math.max(y, 0), most), zoom };
  paint(false);
}

function zoomAt(factor, x = 0.5, y = 0.5) {
  const zoom = Math.min(Math.max(view.zoom * factor, 1), 200);
  move(view.x + x / view.zoom - x / zoom, view.y + y / view.zoom - y / zoom, zoom);
}

function fit(lines) {
  const points = lines.flat();
  if (!points.length) return;
  const [xs, ys] = [0, 1].map(at => points.map(point => point[at]));
  const [left, top] = [Math.min(...xs), Math.min(...ys)], side = Math.max(Math.max(...xs) - left, Math.max(...ys) - top, 0.02) * 1.3;
  const zoom = 1 / Math.min(side, 1);
  move((left + Math.max(...xs)) / 2 - 0.5 / zoom, (top + Math.max(...ys)) / 2 - 0.5 / zoom, zoom);
}

function selectInside(lasso) { // even-odd rule, by the edges that a ray to the right crosses
  const [xs, ys] = [0, 1].map(at => lasso.map(point => point[at] * 65535));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  chosen = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const x = places[2 * i], y = places[2 * i + 1];
    if (x < left || x > right || y < top || y > bottom) continue;
    let inside = 0;
    for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
      if ((ys[a] > y) !== (ys[b] > y) && x < (xs[b] - xs[a]) * (y - ys[a]) / (ys[b] - ys[a]) + xs[a]) inside ^= 1;
    }
    chosen[i] = inside;
  }
  report();
}

function report(words = "selected") {
  const count = chosen.reduce((sum, one) => sum + one, 0), parts = [];
  content.columns.forEach((one, number) => {
    if (one.kind !== "error" || !count) return;
    let inside = 0, all = 0, known = 0, knownInside = 0;
    codes[number].forEach((code, i) => {
      if (code === UNKNOWN) return;
      const error = code / 254 * one.highest;
      all += error; known++;
      if (chosen[i]) { inside += error; knownInside++; }
    });
    if (knownInside) parts.push(`${one.name} ${(inside / knownInside).toPrecision(3)} against ${(all / known).toPrecision(3)} of all`);
  });
  find("status").textContent = count ? `${count.toLocaleString("en")} ${words}. ${parts.join("; ")}` : "Nothing is selected.";
  find("copying").hidden = !count;
  paint();
}

function describeSelection() { // the one or two values that agree best with what is selected
  const count = chosen.reduce((sum, one) => sum + one, 0);
  const best = within => content.columns.map((one, number) => {
    if (one.kind === "error") return { score: -1 };
    const all = new Uint32Array(256), inside = new Uint32Array(256);
    codes[number].forEach((code, i) => { if (within(i)) { all[code]++; inside[code] += chosen[i]; } });
    return one.values.map((value, code) => ({ number, code, value, name: one.name, score: value === "other" || value === "unknown" ? -1 : 2 * inside[code] / (count + all[code]), inside: inside[code], all: all[code] }))
      .reduce((a, b) => (b.score > a.score ? b : a), { score: -1 });
  }).reduce((a, b) => (b.score > a.score ? b : a), { score: -1 });
  const one = best(() => true);
  if (one.score < 0) return null;
  const two = best(i => codes[one.number][i] === one.code);
  const both = two.score > one.score * 1.02 && two.number !== one.number ? two : null;
  const last = both ?? one;
  const text = [one, both].filter(Boolean).map(item => `${item.name} = ${item.value}`).join(" and ");
  return { text, note: `holds ${last.inside.toLocaleString("en")} of the ${count.toLocaleString("en")} selected, and ${(last.all - last.inside).toLocaleString("en")} others` };
}

async function copy(text, note) {
  find("copied-text").hidden = false;
  find("copied").value = text;
  find("copied").select();
  let done = false;
  try { await navigator.clipboard.writeText(text); done = true; } catch { done = document.execCommand("copy"); }
  find("status").textContent = `${note}. ${done ? "Copied." : "Press Ctrl+C to copy."}`;
}

function listIds() {
  ids ??= readIds(members.subarray(content.ids.at, content.ids.at + content.ids.size));
  return ids.filter((_, i) => chosen[i]);
}

function showNearest(x, y) {
  let nearest = -1, least = (NEAR / base.clientWidth / view.zoom * 65535) ** 2;
  for (let i = 0; i < n; i++) {
    const far = (places[2 * i] - x * 65535) ** 2 + (places[2 * i + 1] - y * 65535) ** 2;
    if (far < least) { least = far; nearest = i; }
  }
  find("sample").hidden = nearest < 0;
  if (nearest < 0) return;
  ids ??= readIds(members.subarray(content.ids.at, content.ids.at + content.ids.size));
  const values = content.columns.map((one, number) => {
    const code = codes[number][nearest];
    const value = code === UNKNOWN ? "not known" : one.kind === "error" ? Number((code / 254 * one.highest).toPrecision(3)) : one.values[code];
    return `${one.name}: ${value}`;
  });
  find("about").textContent = `${ids[nearest]} – ${values.join("; ")}`;
  const place = content.pictured.indexOf(nearest), pen = find("thumbnail").getContext("2d"), side = content.side;
  find("thumbnail").hidden = place < 0;
  if (place >= 0) pen.drawImage(sprite, place % 32 * side, Math.floor(place / 32) * side, side, side, 0, 0, 96, 96);
}

const sprite = new Image();
if (content.sprite) sprite.src = content.sprite;

const at = event => {
  const area = base.getBoundingClientRect();
  return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
};
const inMap = ([x, y]) => [view.x + x / view.zoom, view.y + y / view.zoom];
const lassoOn = () => find("lasso").getAttribute("aria-pressed") === "true";

function toggleLasso() {
  find("lasso").setAttribute("aria-pressed", String(!lassoOn()));
  box.classList.toggle("selecting", lassoOn());
}

function selectView() {
  const right = view.x + 1 / view.zoom, bottom = view.y + 1 / view.zoom;
  selectInside([[view.x, view.y], [right, view.y], [right, bottom], [view.x, bottom]]);
}

function clear() {
  chosen = new Uint8Array(n);
  shownFinding = -1;
  path = null;
  for (const button of document.querySelectorAll(".goto")) button.removeAttribute("aria-current");
  report();
}

function showFinding(number) {
  clear();
  const one = content.findings[number];
  const bits = members.subarray(one.at, one.at + Math.ceil(n / 8));
  for (let i = 0; i < n; i++) chosen[i] = bits[i >> 3] >> (i & 7) & 1;
  shownFinding = number;
  document.querySelectorAll(".goto")[number].setAttribute("aria-current", "true");
  fit(one.lines);
  report(`in finding ${one.rank} of ${one.system}`);
}

const KEYS = {
  ArrowLeft: () => move(view.x - STEP / view.zoom, view.y), ArrowRight: () => move(view.x + STEP / view.zoom, view.y),
  ArrowUp: () => move(view.x, view.y - STEP / view.zoom), ArrowDown: () => move(view.x, view.y + STEP / view.zoom),
  "+": () => zoomAt(1.4), "=": () => zoomAt(1.4), "-": () => zoomAt(1 / 1.4), 0: () => move(0, 0, 1),
  l: toggleLasso, v: selectView, Escape: clear,
};

function listen() {
  base.addEventListener("keydown", event => {
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  base.addEventListener("wheel", event => { event.preventDefault(); zoomAt(Math.exp(-event.deltaY / 400), ...at(event)); }, { passive: false });
  base.addEventListener("pointerdown", event => {
    base.setPointerCapture(event.pointerId);
    held = { from: at(event), view };
    path = event.shiftKey || lassoOn() ? [inMap(held.from)] : null;
  });
  base.addEventListener("pointermove", event => {
    const [x, y] = at(event);
    if (!held) showNearest(...inMap([x, y]));
    else if (path) { path.push(inMap([x, y])); drawLines(); }
    else move(held.view.x - (x - held.from[0]) / view.zoom, held.view.y - (y - held.from[1]) / view.zoom);
  });
  base.addEventListener("pointerup", () => {
    const lasso = path;
    held = path = null;
    if (lasso && lasso.length > DRAG) selectInside(lasso); else drawLines();
  });
  const clicks = { lasso: toggleLasso, view: selectView, clear, in: () => zoomAt(1.4), out: () => zoomAt(1 / 1.4), whole: () => move(0, 0, 1) };
  for (const [id, act] of Object.entries(clicks)) find(id).addEventListener("click", act);
  find("copy-ids").addEventListener("click", () => { const some = listIds(); copy(some.join("\n"), `${some.length.toLocaleString("en")} ids`); });
  find("copy-words").addEventListener("click", () => {
    const found = describeSelection();
    if (found) copy(`--in "${found.text}"`, `${found.text} ${found.note}`); else find("status").textContent = "No value describes the selection.";
  });
  find("column").addEventListener("change", () => { writeLegend(); paint(); });
  document.querySelectorAll(".goto").forEach((button, number) => {
    button.disabled = false;
    button.addEventListener("click", () => showFinding(number));
  });
  new ResizeObserver(resize).observe(box);
}

function resize() {
  const side = Math.round(box.clientWidth * Math.min(devicePixelRatio || 1, 2));
  if (!side || side === base.width) return;
  for (const canvas of [base, over]) canvas.width = canvas.height = side;
  paint(false);
}

async function start() {
  const bytes = await unpack(content.packed);
  members = new Uint8Array(bytes);
  places = new Uint16Array(bytes.slice(content.places, content.places + 4 * n));
  codes = content.columns.map(one => members.subarray(one.at, one.at + n));
  find("column").append(...content.columns.map(one => new Option(one.name)));
  base.width = base.height = over.width = over.height = Math.round(box.clientWidth * Math.min(devicePixelRatio || 1, 2)) || 720;
  base.tabIndex = 0;
  base.setAttribute("role", "application");
  base.setAttribute("aria-label", `Map of ${n.toLocaleString("en")} points. Arrow keys move, plus and minus zoom, 0 shows all, V selects what is in view, Escape clears. The tables below say the same in words.`);
  over.className = "lines";
  over.setAttribute("aria-hidden", "true");
  draw = (location.hash === "#plain" ? null : openWebGL(base)) ?? openPlain(base);
  box.replaceChildren(base, over);
  find("controls").hidden = false;
  listen();
  writeLegend();
  paint();
  document.documentElement.dataset.drawn = String(Math.round(performance.now() - started));
}

if (content.columns.length) start();
