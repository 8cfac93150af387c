// One ballot: the photo with its mark and the fills, all of one size, and a view that enlarges
// them in one place, so that differences show when they are changed by the arrow keys.
// Runs inside gr.HTML, which hands over element, props and watch.

const root = element.querySelector(".ballot");
const grid = root.querySelector(".ballot-grid");
const prompt = root.querySelector(".ballot-prompt");
const mark = root.querySelector(".ballot-mark");
const large = root.querySelector(".ballot-large");
const view = root.querySelector(".ballot-view");
const title = root.querySelector(".ballot-name");
const LETTERS = ["A", "B", "C"];
const LAST = { "0": "=" };

let value = null;
let pictures = []; // {name, source}, the photo first
let open = 0;

function picture(index) {
  const frame = document.createElement("span");
  frame.className = "ballot-frame";
  frame.style.setProperty("--ratio", `${value.width} / ${value.height}`);
  const image = document.createElement("img");
  image.src = pictures[index].source;
  image.alt = pictures[index].name;
  image.draggable = false;
  frame.append(image);
  if (index === 0) {
    const overlay = document.createElement("img");
    overlay.src = value.mask;
    overlay.alt = "";
    overlay.className = "ballot-overlay";
    overlay.draggable = false;
    overlay.hidden = mark.getAttribute("aria-pressed") !== "true";
    frame.append(overlay);
  }
  return frame;
}

function show() {
  value = props.value;
  grid.replaceChildren();
  view.replaceChildren();
  if (large.open) large.close();
  if (!value || !value.fills) {
    pictures = [];
    return;
  }
  prompt.hidden = !value.prompt;
  prompt.querySelector("q").textContent = value.prompt;
  pictures = [
    { name: "The photo as it was", source: value.photo },
    ...value.fills.map((source, index) => ({ name: LETTERS[index], source })),
  ];
  pictures.forEach((one, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "ballot-picture";
    button.setAttribute("aria-label", `${one.name}: enlarge`);
    const caption = document.createElement("span");
    caption.className = "ballot-caption";
    caption.textContent = one.name;
    button.append(caption, picture(index));
    button.addEventListener("click", () => enlarge(index));
    grid.append(button);
  });
  grid.dataset.count = pictures.length;
  if (root.dataset.serial && root.getBoundingClientRect().top < 0) root.scrollIntoView();
  root.dataset.serial = value.serial;
}

function enlarge(index) {
  open = (index + pictures.length) % pictures.length;
  title.textContent = pictures[open].name;
  view.replaceChildren(picture(open));
  if (!large.open) large.showModal();
}

function toggle() {
  const on = mark.getAttribute("aria-pressed") !== "true";
  mark.setAttribute("aria-pressed", String(on));
  for (const overlay of root.querySelectorAll(".ballot-overlay")) overlay.hidden = !on;
}

// The first question without an answer takes the letter; they stand beside the ballot.
function answer(letter) {
  for (const ask of document.querySelectorAll(".ask")) {
    const choices = [...ask.querySelectorAll("input[type=radio]")];
    if (!choices.length || choices.some((one) => one.checked)) continue;
    const meant = choices.find((one) => one.value === letter);
    if (meant) {
      meant.click();
      meant.focus({ preventScroll: true }); // Enter goes on from here
    }
    return;
  }
}

function keys(event) {
  if (!root.isConnected) {
    document.removeEventListener("keydown", keys);
    return;
  }
  const typing = event.target.closest?.("textarea, input:not([type=radio]), select");
  if (!pictures.length || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!root.offsetParent) return;
  const key = event.key;
  if (large.open) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (move) {
      event.preventDefault();
      enlarge(open + move);
    }
  }
  if (key.toLowerCase() === "m") toggle();
  else if (/^[abc0]$/i.test(key)) answer(LAST[key] || key.toUpperCase());
  else if (key === "Enter" && !large.open && !event.target.closest?.("button, a")) {
    document.querySelector("#next")?.click();
  }
}

mark.addEventListener("click", toggle);
root.querySelector(".ballot-close").addEventListener("click", () => large.close());
for (const button of root.querySelectorAll("[data-move]")) {
  button.addEventListener("click", () => enlarge(open + Number(button.dataset.move)));
}
view.addEventListener("click", () => large.close());
document.addEventListener("keydown", keys);
watch("value", show);
show();
