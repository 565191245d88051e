// Groups that are folded to one box, which says how its members are.

// What the box of a folded group is drawn from; the same shape as a node where both are drawn.
function foldOf([name, label, count, x, y, w, h]) {
  return { name, label, key: `\0${name}`, members: [], count, x, y, w, h, inputs: [], dependents: [], edges: [], status: "pending" };
}

function drawFold(fold, tip) {
  const { w, h } = fold;
  fold.segments = draw("g", { class: "segments" });
  fold.tooltip = draw("title");
  fold.el = draw("g", { class: "fold", "data-key": fold.key, "data-group": fold.name, "data-folded": fold.count, role: "button", tabindex: -1,
    "aria-expanded": "false", transform: `translate(${fold.x},${fold.y})` },
  fold.tooltip, tip,
  draw("rect", { class: "sheet", x: 5, y: 5, width: w - 10, height: h - 2, rx: 8 }),
  draw("rect", { class: "box", width: w, height: h - 2, rx: 8 }),
  draw("path", { class: "chevron", d: "M14 13l5 5-5 5" }),
  draw("text", { class: "name", x: 29, y: 22.5 }, fold.label),
  draw("text", { class: "secs", x: w - 12, y: 22 }, String(fold.count)),
  draw("g", { transform: "translate(12,33)" }, fold.segments));
}

// Say anew how many members there are of each status.
function updateFold(fold) {
  const counts = {};
  for (const { status } of fold.members) counts[status] = (counts[status] ?? 0) + 1;
  const entries = LOOK.statuses.filter((status) => counts[status]).map((status) => [status, counts[status]]);
  const drawn = String(entries);
  fold.status = LOOK.gravest.find((status) => counts[status]) ?? "pending";
  if (fold.drawn === drawn) return;
  fold.drawn = drawn;
  fold.el.dataset.status = fold.status;
  let x = 0;
  fold.segments.replaceChildren(...entries.map(([status, count]) => {
    const part = ((fold.w - 24) * count) / fold.members.length;
    const colour = WAITING.has(status) ? { class: "rest" } : { fill: "currentColor" };
    const bar = draw("rect", { "data-status": status, x: x.toFixed(1), width: Math.max(part - 1.5, 1).toFixed(1), height: 4, rx: 2, ...colour });
    x += part;
    return bar;
  }));
  const said = entries.map(([status, count]) => `${count} ${LOOK.words[status]}`).join(", ");
  fold.tooltip.textContent = `${fold.name}: ${fold.count} nodes\n${said}`;
  fold.el.setAttribute("aria-label", `Group ${fold.name}, ${fold.count} nodes: ${said}`);
}
