// The grid of pictures: sample by sample, worst first, every engine and trial.

const CASES_A_PAGE = 8;
const ALBUM = read("album") || { samples: [] };
const IMAGES = read("images") || [];

function startGallery() {
  const place = document.getElementById("cases");
  if (!place) return;
  const kind = document.getElementById("case-kind");
  const order = document.getElementById("case-order");
  const score = document.getElementById("case-score");
  const outlines = document.getElementById("case-outline");
  const engines = [...document.querySelectorAll("#case-engines input")];
  const kinds = [...new Set(ALBUM.samples.map((sample) => sample.kind))];
  fillSelect(kind, [["", "all"], ...kinds.map((name) => [name, name])]);
  fillSelect(score, RECORDS.scores.map((one, number) => [number, one.label]));
  let shown = [];
  const leaf = pager(document.getElementById("case-pager"), CASES_A_PAGE, (from, to) => {
    const wanted = new Set(engines.filter((box) => box.checked).map((box) => box.value));
    place.replaceChildren(...shown.slice(from, to).map((sample) => caseOf(sample, wanted)));
  });

  function caseOf(sample, wanted) {
    const about = [sample.hard, sample.prompt && `Prompt: ${sample.prompt}`].filter(Boolean);
    const names = Object.keys(sample.fills).filter((name) => wanted.has(name));
    const failed = Object.entries(sample.failed).filter(([name]) => wanted.has(name));
    const strip = make("div", { class: "strip" });
    if (sample.level !== "none") {
      strip.append(still(sample, sample.before, "as it came in", true));
      if (sample.truth) strip.append(still(sample, sample.truth, "truth", false));
    }
    strip.append(...names.map((name) => engineOf(sample, name, wanted)));
    strip.append(...failed.map(([name, why]) => make("figure", { "data-engine": name },
      gone(`Failed: ${why}`), make("figcaption", {}, make("strong", {}, name)))));
    strip.style.maxWidth = `${strip.children.length * 250}px`; // few pictures are not blown up
    return make(
      "article",
      { class: "case" },
      make("h3", {}, `${sample.title} `, make("span", {}, sample.kind)),
      ...about.map((line) => make("p", {}, line)),
      sample.level === "none" ? make("p", {}, "Figures only: its pictures are in the run's folder.") : null,
      strip,
    );
  }

  function still(sample, shot, label, always) {
    const seen = shot.small === undefined ? gone(shot.problem) : framed(sample, shot, label, null);
    return make("figure", { class: always ? "always" : null }, seen, make("figcaption", {}, label));
  }

  function engineOf(sample, name, wanted) {
    const [first, ...others] = sample.fills[name];
    const open = (shot) => () => view.open(shown, sample, wanted, name, shot.trial);
    const seen = first.small === undefined
      ? gone(first.problem || (sample.level === "none" ? "" : "no fill"))
      : framed(sample, first, `${name}, trial ${first.trial}`, open(first));
    const minis = others.filter((shot) => shot.small !== undefined);
    const same = others.filter((shot) => shot.same !== undefined).map((shot) => shot.trial);
    return make(
      "figure",
      { "data-engine": name },
      seen,
      minis.length
        ? make("div", { class: "minis" }, ...minis.map((shot) => framed(sample, shot, `${name}, trial ${shot.trial}`, open(shot))))
        : null,
      make("figcaption", {}, make("strong", {}, name), ` ${scoreOf(first)}`),
      same.length ? make("figcaption", {}, `same pixels in trial ${same.join(", ")}`) : null,
    );
  }

  function scoreOf(shot) {
    const row = RECORDS.rows[shot.row];
    const one = RECORDS.scores[Number(score.value)];
    if (!row || !one) return "";
    if (row[7] >= 0) return "failed";
    return `${one.label} ${figure(row[FIRST_SCORE + Number(score.value)], one.digits)}`;
  }

  function choose() {
    shown = ALBUM.samples.filter((sample) => !kind.value || sample.kind === kind.value);
    if (order.value === "best") shown.reverse();
    if (order.value === "name") shown.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    if (order.value === "worst-of") shown = byScore(shown, Number(score.value));
    leaf.reset(shown.length);
  }

  /** Worst first in the chosen score: the mean over the engines that are shown. */
  function byScore(samples, number) {
    const better = (RECORDS.scores[number] || {}).better;
    const wanted = new Set(engines.filter((box) => box.checked).map((box) => box.value));
    const badness = new Map(samples.map((sample) => {
      const values = Object.entries(sample.fills)
        .filter(([name]) => wanted.has(name))
        .flatMap(([, shots]) => shots.map((shot) => (RECORDS.rows[shot.row] || [])[FIRST_SCORE + number]))
        .filter((value) => typeof value === "number")
        .map((value) => (better === "one" ? Math.abs(value - 1) : better === "lower" ? value : -value));
      const sum = values.reduce((total, value) => total + value, 0);
      return [sample, values.length ? sum / values.length : -Infinity];
    }));
    return [...samples].sort((a, b) => badness.get(b) - badness.get(a) || 0);
  }

  outlines.addEventListener("change", () => outline(outlines.checked));
  for (const control of [kind, order, score, ...engines]) control.addEventListener("change", choose);
  choose();
}

/** Draw the outline of the hole on all pictures, or on none. */
function outline(on) {
  document.body.classList.toggle("outlined", on);
  for (const box of document.querySelectorAll(".outline-toggle")) box.checked = on;
}

function gone(why) {
  return make("div", { class: "gone" }, why || "figures only");
}

/** A small picture with the hole's outline; one that opens larger if it has something to open. */
function framed(sample, shot, label, open) {
  const image = make("img", { src: IMAGES[shot.small], alt: `${sample.title}: ${label}`, decoding: "async" });
  const style = sample.size ? `aspect-ratio:${sample.size[0]}/${sample.size[1]}` : null;
  if (!open) return make("div", { class: "shot", style: style && `${style};cursor:default` }, image, linesOf(sample));
  return make("button", { class: "shot", type: "button", style, click: open, "aria-label": `Enlarge ${sample.title}: ${label}` }, image, linesOf(sample));
}

function linesOf(sample) {
  if (!sample.outline) return null;
  const space = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  drawn.setAttribute("viewBox", `0 0 ${sample.outline.size[0]} ${sample.outline.size[1]}`);
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("class", "lines");
  drawn.setAttribute("aria-hidden", "true");
  path.setAttribute("d", sample.outline.d);
  drawn.append(path);
  return drawn;
}
