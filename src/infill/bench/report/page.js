// What all parts of the page share. Text from the run goes into the page as text nodes alone.

const NONE = "–";

function read(id) {
  const found = document.getElementById(id);
  return found ? JSON.parse(found.textContent) : null;
}

/** An element with attributes (a function is a listener) and children (text or elements). */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function fillSelect(select, choices) {
  select.replaceChildren(...choices.map(([value, text]) => make("option", { value }, text)));
}

/** A row of `records`, by names. See records.py for the order. */
const RECORDS = read("records") || { texts: [], scores: [], rows: [], recipes: null };
const FIRST_SCORE = 10;

function text(number) {
  return number < 0 ? "" : RECORDS.texts[number];
}

function figure(value, digits) {
  if (value === null || value === undefined) return NONE;
  return typeof value === "number" ? value.toFixed(digits) : String(value);
}

function seconds(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : NONE;
}

/** The recipe of row `number` as indented JSON, or a sentence that says where it is. */
function recipe(number) {
  const told = RECORDS.recipes;
  const row = RECORDS.rows[number];
  if (!row) return "There is no row for this picture.";
  if (!told) return `The recipe is in the run's rows.jsonl, under the key ${row[0]}.`;
  if (!told.of[number]) return "No recipe was kept of this fill.";
  return JSON.stringify({ ...told.base[text(row[3])], ...told.of[number] }, null, 1);
}

/** Buttons that leaf through `count` things, `size` at a time. */
function pager(place, size, show) {
  let page = 0;
  let count = 0;
  const label = make("span", { "aria-live": "polite" });
  const back = make("button", { type: "button", click: () => turn(page - 1) }, "Previous");
  const on = make("button", { type: "button", click: () => turn(page + 1) }, "Next");
  place.append(back, label, on);
  function turn(to) {
    page = Math.min(Math.max(0, to), Math.max(0, Math.ceil(count / size) - 1));
    back.disabled = page === 0;
    on.disabled = (page + 1) * size >= count;
    const end = Math.min(count, (page + 1) * size);
    label.textContent = count ? `${page * size + 1} to ${end} of ${count}` : "none";
    show(page * size, end);
  }
  return { reset(total) { count = total; turn(0); } };
}
