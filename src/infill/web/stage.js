// The photo on the page: shows the mask and the points that the server sends, and tells the
// server where a person clicked ("poke") or painted ("paint"), in the photo's own pixels.
// Runs inside gr.HTML, which hands over element, trigger, props and watch.

const frame = element.querySelector(".stage-frame");
const photo = element.querySelector(".stage-photo");
const overlay = element.querySelector(".stage-overlay");
const proposal = element.querySelector(".stage-proposal");
const marks = element.querySelector(".stage-marks");
const sizeLabel = element.querySelector(".stage-size");
const size = sizeLabel.querySelector("input");
const buttons = [...element.querySelectorAll("[data-tool]")];
const COLOURS = { brush: "rgba(255, 0, 160, 0.5)", eraser: "rgba(255, 255, 255, 0.7)" };
const STEP = 0.02; // of the photo's longer side, for one press of an arrow key

let value = null;
let tool = "on";
let strokes = []; // painted here, not yet answered by the server
let current = null;
let pending = []; // points not yet answered
let cursor = null; // the crosshair of the keyboard
let hover = null;

function choose(name) {
  tool = name;
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  }
  const painting = name === "brush" || name === "eraser";
  sizeLabel.hidden = !painting;
  frame.classList.toggle("painting", painting);
  redraw();
}

function show() {
  const next = props.value;
  strokes = [];
  pending = [];
  if (!next || !next.photo) {
    value = null;
    cursor = null;
    return;
  }
  if (!value || value.photo !== next.photo) {
    photo.src = next.photo;
    cursor = null;
  }
  value = next;
  frame.style.setProperty("--ratio", value.width / value.height);
  for (const [image, source] of [[overlay, value.overlay], [proposal, value.proposal]]) {
    image.hidden = !source;
    if (source) image.src = source;
    else image.removeAttribute("src");
  }
  redraw();
}

function place(event) {
  const box = frame.getBoundingClientRect();
  const inside = (share) => Math.min(Math.max(share, 0), 1);
  return [
    inside((event.clientX - box.left) / box.width) * value.width,
    inside((event.clientY - box.top) / box.height) * value.height,
  ];
}

function radius() {
  return Math.max(0.5, (Number(size.value) / 1000) * Math.max(value.width, value.height));
}

function poke(x, y, on) {
  pending.push([x, y, on]);
  redraw();
  trigger("poke", { x: x, y: y, on: on });
}

function line(context, stroke, scale) {
  context.strokeStyle = context.fillStyle = COLOURS[stroke.erase ? "eraser" : "brush"];
  context.lineWidth = 2 * stroke.radius * scale;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  stroke.points.forEach(([x, y], index) => {
    if (index) context.lineTo(x * scale, y * scale);
    else context.moveTo(x * scale, y * scale);
  });
  if (stroke.points.length === 1) context.lineTo(stroke.points[0][0] * scale + 0.01, stroke.points[0][1] * scale);
  context.stroke();
}

function dot(context, [x, y, on], scale, waiting) {
  const reach = 7;
  context.globalAlpha = waiting ? 0.6 : 1;
  context.beginPath();
  context.arc(x * scale, y * scale, reach, 0, 2 * Math.PI);
  context.fillStyle = on ? "#12873d" : "#c62828";
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = "#fff";
  context.stroke();
  context.beginPath();
  context.moveTo(x * scale - 3.5, y * scale);
  context.lineTo(x * scale + 3.5, y * scale);
  if (on) {
    context.moveTo(x * scale, y * scale - 3.5);
    context.lineTo(x * scale, y * scale + 3.5);
  }
  context.stroke();
  context.globalAlpha = 1;
}

function cross(context, [x, y], scale) {
  for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x * scale - 14, y * scale);
    context.lineTo(x * scale + 14, y * scale);
    context.moveTo(x * scale, y * scale - 14);
    context.lineTo(x * scale, y * scale + 14);
    context.stroke();
  }
}

function redraw() {
  const box = frame.getBoundingClientRect();
  if (!value || !box.width) return;
  const dense = window.devicePixelRatio || 1;
  marks.width = Math.round(box.width * dense);
  marks.height = Math.round(box.height * dense);
  const context = marks.getContext("2d");
  context.scale(dense, dense);
  const scale = box.width / value.width;
  for (const stroke of current ? [...strokes, current] : strokes) line(context, stroke, scale);
  for (const point of value.points) dot(context, point, scale, false);
  for (const point of pending) dot(context, point, scale, true);
  if (cursor) cross(context, cursor, scale);
  if (hover && (tool === "brush" || tool === "eraser")) {
    context.beginPath();
    context.arc(hover[0] * scale, hover[1] * scale, radius() * scale, 0, 2 * Math.PI);
    context.lineWidth = 1.5;
    context.strokeStyle = "#fff";
    context.stroke();
  }
}

function finish() {
  if (!current) return;
  strokes.push(current);
  trigger("paint", { points: current.points, radius: current.radius, erase: current.erase });
  current = null;
  redraw();
}

for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.tool));

frame.addEventListener("click", (event) => {
  if (!value || (tool !== "on" && tool !== "off") || event.detail === 0) return;
  cursor = null;
  const [x, y] = place(event);
  poke(x, y, tool === "on" && !event.shiftKey);
});

frame.addEventListener("pointerdown", (event) => {
  if (!value || !event.isPrimary || event.button !== 0) return;
  if (tool !== "brush" && tool !== "eraser") return;
  event.preventDefault();
  frame.setPointerCapture(event.pointerId);
  current = { points: [place(event)], radius: radius(), erase: tool === "eraser" };
  redraw();
});

frame.addEventListener("pointermove", (event) => {
  if (!value || !event.isPrimary) return;
  hover = event.pointerType === "touch" ? null : place(event);
  if (current) {
    const next = place(event);
    const last = current.points[current.points.length - 1];
    if (Math.hypot(next[0] - last[0], next[1] - last[1]) >= current.radius / 4) current.points.push(next);
  }
  redraw();
});

frame.addEventListener("pointerup", finish);
frame.addEventListener("pointercancel", finish);
frame.addEventListener("pointerleave", () => {
  hover = null;
  redraw();
});

frame.addEventListener("keydown", (event) => {
  if (!value) return;
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const move = moves[event.key];
  if (move) {
    event.preventDefault();
    const far = STEP * Math.max(value.width, value.height) * (event.shiftKey ? 0.2 : 1);
    const [x, y] = cursor || [value.width / 2, value.height / 2];
    cursor = [
      Math.min(Math.max(x + move[0] * far, 0), value.width),
      Math.min(Math.max(y + move[1] * far, 0), value.height),
    ];
    redraw();
  } else if (event.key === "Enter") {
    event.preventDefault();
    cursor = cursor || [value.width / 2, value.height / 2];
    if (tool === "on" || tool === "off") {
      poke(cursor[0], cursor[1], tool === "on" && !event.shiftKey);
    } else {
      current = { points: [cursor], radius: radius(), erase: tool === "eraser" };
      finish();
    }
  }
});

frame.addEventListener("blur", () => {
  cursor = null;
  redraw();
});

size.addEventListener("input", redraw);
new ResizeObserver(redraw).observe(frame);
watch("value", show);
show();
