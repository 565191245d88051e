// What a run would do, drawn on the graph: a badge on each node that is concerned. Badges differ
// in shape and words, so that they are read without colour too.

const BADGES = {
  run: ["\u25b6", "will run"], may_run: ["?", "may run"], unlikely: ["\u2702", "likely cut off"], wait: ["\u2016", "waits"],
};

class Plan {
  constructor(graph) {
    this.graph = graph;
    this.el = make("section", { class: "dagnb-plan", hidden: true, "aria-label": "Plan of the next run" });
    graph.body.after(this.el);
  }

  toggle() {
    if (this.steps) this.clear();
    else this.graph.model.send({ kind: "act", verb: "plan", name: "" });
  }

  // Of a page that is loaded later.
  follow() {
    const plan = this.graph.model.get("plan");
    if (plan?.steps) this.show(plan);
  }

  // Folding changes nothing of a plan; other nodes need another one.
  redrawn(before) {
    if (!this.steps) return;
    const { nodes, items } = this.graph;
    if (nodes.size !== before.size || [...nodes.keys()].some((name) => !before.has(name))) { this.clear(); return; }
    for (const item of items) this.badge(item);
    this.graph.markPath(this.critical);
  }

  show({ steps, reused, seconds, critical }) {
    this.graph.replay.leave();
    this.graph.lesson.close();
    this.clear();
    this.steps = steps;
    this.graph.root.dataset.plan = Object.keys(steps).length;
    for (const item of this.graph.items) this.badge(item);
    this.line(Object.values(steps), reused, seconds, critical);
    this.critical = new Set(critical);
    this.graph.markPath(this.critical);
    this.graph.planButton.setAttribute("aria-pressed", "true");
    this.graph.say(this.el.textContent);
  }

  clear() {
    if (!this.steps) return;
    this.steps = null;
    this.el.hidden = true;
    delete this.graph.root.dataset.plan;
    for (const badge of this.graph.root.querySelectorAll(".dagnb-badge")) badge.remove();
    for (const item of this.graph.items) delete item.el.dataset.plan;
    this.graph.planButton.setAttribute("aria-pressed", "false");
    this.graph.replay.mark();
  }

  // A folded group is concerned as its members are: it runs if one of them does.
  badge(item) {
    const steps = (item.members ?? [item]).map(({ name }) => this.steps[name]).filter(Boolean);
    const action = Object.keys(BADGES).find((each) => steps.some((step) => step.action === each)) ?? "reuse";
    item.el.dataset.plan = action;
    if (action === "reuse") return;
    const [sign, words] = BADGES[action];
    const known = steps.map((step) => step.seconds).filter((each) => each != null);
    const took = known.length && action !== "wait" ? duration(known.reduce((a, b) => a + b)) : "";
    const text = [sign, item.members ? steps.length : took].filter((part) => part !== "").join(" ");
    item.el.append(badge(item, text, [words, ...steps.slice(0, 5).map((step) => step.reason)].join("\n")));
  }

  line(steps, reused, [low, likely, high], critical) {
    const counts = Object.entries(BADGES).map(([action, [sign, words]]) => [steps.filter((step) => step.action === action).length, sign, words]);
    const parts = counts.filter(([count]) => count).map(([count, sign, words]) => `${sign} ${count} ${words}`);
    const span = duration(low) === duration(high) ? duration(low) : `${duration(low)} to ${duration(high)}`;
    const most = duration(likely) === duration(low) || duration(likely) === duration(high) ? "" : `, likely ${duration(likely)}`;
    const path = critical.length > 1 ? `critical path ${critical.slice(0, 12).join(" \u2192 ")}${critical.length > 12 ? " \u2026" : ""}` : "";
    const words = steps.length ? [...parts, `${reused} up to date`, high ? `expected ${span}${most}` : "", path] : ["Nothing to run; everything is up to date"];
    this.el.replaceChildren(make("b", {}, "Next run"), ...words.filter(Boolean).map((text) => make("span", {}, text)));
    this.el.hidden = false;
  }
}

// A few words at the corner of a node, and more of them for who hovers.
function badge(item, text, title) {
  const width = badgeWidth(text);
  return draw("g", { class: "dagnb-badge", transform: `translate(${item.w - width + 6},-9)` }, draw("title", {}, title),
    draw("rect", { width, height: 17, rx: 8.5 }), draw("text", { x: width / 2, y: 12.5 }, text));
}

const badgeWidth = (text) => 10 + 6.4 * [...text].length;
