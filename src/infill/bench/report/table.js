// Every fill of the run as a table, drawn a page at a time, sorted and searched here.

const ROWS_A_PAGE = 25;

function startTable() {
  const place = document.getElementById("fills");
  if (!place) return;
  const search = document.getElementById("fill-search");
  const engine = document.getElementById("fill-engine");
  const failed = document.getElementById("fill-failed");
  const columns = [
    ["Sample", (row) => text(row[1])], ["Kind", (row) => text(row[2])], ["Engine", (row) => text(row[3])],
    ["Trial", (row) => row[4]], ["Seed", (row) => row[5]], ["Seconds", (row) => row[6], seconds],
    ...RECORDS.scores.map((one, number) => [one.label, (row) => row[FIRST_SCORE + number], (value) => figure(value, one.digits)]),
  ];
  const names = [...new Set(RECORDS.rows.map((row) => text(row[3])))];
  fillSelect(engine, [["", "all"], ...names.map((name) => [name, name])]);
  let sorted = null; // [column, 1 or -1]
  let shown = [];
  const head = make("tr", {}, ...columns.map(([name], number) =>
    make("th", { scope: "col", class: number > 2 ? "num" : null }, make("button", { type: "button", click: () => sort(number) }, name))),
    make("th", { scope: "col" }, "Recipe"), make("th", { scope: "col" }, "Notes"));
  const body = make("tbody", {});
  place.append(make("table", { class: "all-rows" }, make("thead", {}, head), body));
  const leaf = pager(document.getElementById("fill-pager"), ROWS_A_PAGE, (from, to) => {
    body.replaceChildren(...shown.slice(from, to).map(line));
  });

  function line(number) {
    const row = RECORDS.rows[number];
    const told = [text(row[7]), text(row[8])].filter(Boolean).join(" ");
    const cells = columns.map(([, value, format], column) => {
      const found = value(row);
      const seen = format ? format(found) : String(found);
      return column ? make("td", { class: column > 2 ? "num" : null }, seen) : make("th", { scope: "row" }, seen);
    });
    const button = make("button", { type: "button", "aria-expanded": "false", click: () => unfold(button, number) }, "show");
    return make("tr", {}, ...cells, make("td", {}, button), make("td", { class: "text" }, told || NONE));
  }

  function unfold(button, number) {
    const row = button.closest("tr");
    const open = button.getAttribute("aria-expanded") === "true";
    if (open) row.nextElementSibling.remove();
    else row.after(make("tr", {}, make("td", { colspan: columns.length + 2, class: "text" }, make("pre", {}, recipe(number)))));
    button.setAttribute("aria-expanded", String(!open));
    button.textContent = open ? "show" : "hide";
  }

  function sort(column) {
    sorted = [column, sorted && sorted[0] === column ? -sorted[1] : 1];
    for (const [number, cell] of [...head.cells].entries()) {
      if (number === column) cell.setAttribute("aria-sort", sorted[1] > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
    choose();
  }

  function choose() {
    const wanted = search.value.trim().toLowerCase();
    shown = [];
    RECORDS.rows.forEach((row, number) => {
      if (engine.value && text(row[3]) !== engine.value) return;
      if (failed.checked && row[7] < 0) return;
      if (wanted && !`${row[0]} ${text(row[1])} ${text(row[7])} ${text(row[8])}`.toLowerCase().includes(wanted)) return;
      shown.push(number);
    });
    if (sorted) {
      const [column, way] = sorted;
      const keys = new Map(shown.map((number) => [number, columns[column][1](RECORDS.rows[number])]));
      shown.sort((a, b) => compare(keys.get(a), keys.get(b), way));
    }
    leaf.reset(shown.length);
  }

  /** Figures by size, exact above all; text by letters; what is missing always last. */
  function compare(a, b, way) {
    const none = (value) => value === null || value === undefined || value === "";
    if (none(a) || none(b)) return none(a) - none(b);
    const size = (value) => (value === "exact" ? Infinity : value);
    const [x, y] = [size(a), size(b)];
    return x === y ? 0 : (x < y ? -1 : 1) * way;
  }

  for (const control of [engine, failed]) control.addEventListener("change", choose);
  search.addEventListener("input", choose);
  choose();
}

startViewer();
startGallery();
startTable();
