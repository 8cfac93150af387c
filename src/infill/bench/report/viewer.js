// One fill enlarged, with what it is compared to on the left of a line that can be moved.

const view = { open() {} };

function startViewer() {
  const dialog = document.getElementById("viewer");
  if (!dialog) return;
  const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
  const stage = part("stage");
  const slider = part("slider");
  const against = part("against");
  let shots = []; // every fill of the samples that are shown, in the order of the grid
  let at = 0;

  view.open = (samples, sample, wanted, engine, trial) => {
    shots = samples.flatMap((one) =>
      Object.entries(one.fills)
        .filter(([name]) => wanted.has(name))
        .flatMap(([name, list]) => list
          .filter((shot) => shot.small !== undefined)
          .map((shot) => ({ sample: one, engine: name, shot }))));
    at = shots.findIndex((one) => one.sample === sample && one.engine === engine && one.shot.trial === trial);
    if (at < 0) return;
    show();
    if (!dialog.open) dialog.showModal();
    part("next").focus();
  };

  function source(shot) {
    return IMAGES[shot.large === undefined ? shot.small : shot.large];
  }

  /** What the fill can be compared with: [value, name, picture]. */
  function others(current) {
    const { sample } = current;
    const found = [["before", "as it came in", sample.before], ["truth", "truth", sample.truth]];
    for (const other of shots) {
      if (other.sample === sample && other !== current) {
        const name = `${other.engine}, trial ${other.shot.trial}`;
        found.push([name, name, other.shot]);
      }
    }
    return found.filter(([, , shot]) => shot && shot.small !== undefined);
  }

  function show() {
    const current = shots[at];
    const { sample, engine, shot } = current;
    const choices = others(current);
    const wanted = against.value;
    fillSelect(against, choices.map(([value, name]) => [value, name]));
    if (choices.some(([value]) => value === wanted)) against.value = wanted;
    const name = `${engine}, trial ${shot.trial}`;
    part("title").textContent = `${sample.title}: ${name}`;
    part("place").textContent = `${at + 1} of ${shots.length}`;
    part("right").textContent = name;
    part("under").src = source(shot);
    part("under").alt = `${sample.title}, filled by ${name}`;
    stage.style.setProperty("--ratio", sample.size ? sample.size[0] / sample.size[1] : 1.5);
    stage.querySelector(".lines")?.remove();
    const drawn = linesOf(sample);
    if (drawn) stage.insertBefore(drawn, part("edge"));
    part("figures").replaceChildren(...figures(shot.row));
    part("recipe").textContent = recipe(shot.row);
    compare();
  }

  function compare() {
    const found = others(shots[at]).find(([value]) => value === against.value);
    part("over").hidden = part("edge").hidden = part("left").hidden = slider.disabled = !found;
    if (!found) return;
    part("over").src = source(found[2]);
    part("over").alt = found[1];
    part("left").textContent = found[1];
  }

  function figures(number) {
    const row = RECORDS.rows[number];
    if (!row) return [];
    const pairs = RECORDS.scores.map((one, index) => [one.label, figure(row[FIRST_SCORE + index], one.digits)]);
    pairs.push(["seconds", seconds(row[6])], ["seed", row[5]]);
    const told = pairs.filter(([, value]) => value !== NONE);
    const notes = [text(row[7]), text(row[8])].filter(Boolean);
    return [
      ...told.map(([label, value]) => make("span", {}, `${label} `, make("b", {}, value))),
      ...notes.map((note) => make("span", {}, note)),
    ];
  }

  function step(by) {
    at = (at + by + shots.length) % shots.length;
    show();
  }

  /** To the same engine on the sample before or after. */
  function jump(by) {
    const { sample, engine } = shots[at];
    const samples = [...new Set(shots.map((one) => one.sample))];
    const to = samples[(samples.indexOf(sample) + by + samples.length) % samples.length];
    const same = shots.findIndex((one) => one.sample === to && one.engine === engine);
    at = same >= 0 ? same : shots.findIndex((one) => one.sample === to);
    show();
  }

  slider.addEventListener("input", () => {
    stage.style.setProperty("--at", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${Math.round(slider.value)} percent`);
  });
  against.addEventListener("change", compare);
  part("outline").addEventListener("change", (event) => outline(event.target.checked));
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.target === slider || event.target === against || event.altKey || event.ctrlKey || event.metaKey) return;
    const act = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => jump(-1), ArrowDown: () => jump(1),
      o: () => outline(!document.body.classList.contains("outlined")) }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}
