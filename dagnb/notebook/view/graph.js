// The live graph. Geometry, icons and words come from Python; these files draw them once per
// structure, and afterwards only change attributes. widget.py joins them to one module.

export default {
  initialize({ model }) {
    window.dispatchEvent(new CustomEvent(BORN, { detail: model }));
  },
  render({ model, el }) {
    const graph = new Graph(model, el);
    return () => graph.destroy();
  },
};

class Graph {
  constructor(model, el) {
    this.model = model;
    this.nodes = new Map(); // all of them, drawn or not
    this.items = []; // what is drawn: nodes and folded groups
    this.seq = null;
    this.build();
    el.append(this.root);
    this.stage = new Stage(this);
    this.map = new Minimap(this);
    this.panel = new Panel(this);
    this.replay = new Replay(this);
    this.plan = new Plan(this);
    this.lesson = new Lesson(this);
    this.page = new Page(this);
    this.kernel = new Kernel(this);
    this.listeners = [
      ["change:graph", () => this.redraw()],
      ["change:state", () => this.restore(this.model.get("state"))],
      ["change:timeline", () => this.replay.follow()],
      ["msg:custom", (message) => this.receive(message)],
      ["comm_live_update", () => this.kernel.left()],
    ];
    this.listen("on");
    this.clockwork = setInterval(() => this.tick(), 200);
    this.redraw();
    this.follow();
  }

  destroy() {
    clearInterval(this.clockwork);
    clearTimeout(this.noticeTimer);
    this.listen("off");
    this.kernel.destroy();
    this.stage.destroy();
    this.map.destroy();
    this.replay.destroy();
    this.lesson.stop();
    this.page.destroy();
    this.root.remove();
  }

  listen(verb) {
    for (const [name, handler] of this.listeners) this.model[verb](name, handler);
  }

  // Show another model's graph from now on.
  adopt(model) {
    this.listen("off");
    this.model = model;
    this.listen("on");
    this.seq = null;
    this.redraw();
    this.follow();
  }

  // Show below the graph what the notebook asked for.
  follow() {
    this.replay.follow();
    this.plan.follow();
    this.lesson.follow();
  }

  build() {
    const button = (action, label, text) =>
      make("button", { type: "button", "data-action": action, "aria-label": label, title: label }, text);
    this.title = make("div", { class: "dagnb-title" });
    this.runLine = make("div", { class: "dagnb-run" });
    this.counts = make("ul", { class: "dagnb-counts", "aria-label": "Nodes by status" });
    this.foldButton = button("fold", "Fold all groups", "Fold");
    this.tableButton = button("table", "Show as a table", "Table");
    this.planButton = button("plan", "Show what a run would do", "Plan");
    this.planButton.hidden = !this.model.get("can_act");
    this.lessonButton = button("lesson", "Step through the graph, predict a run, try more workers", "Learn");
    this.lessonButton.hidden = !this.model.get("can_act");
    this.timelineButton = button("timeline", "Show when the nodes of the last run ran, and replay it", "Timeline");
    this.timelineButton.hidden = Boolean(this.model.get("embedded"));
    this.find = new Find(this);
    this.saving = new Saving(this);
    this.aroundButton = button("around", "Show only what lies around the chosen node (f)", "Focus");
    this.turnButton = button("turn", "Draw edges to the right, or downwards", "\u21c4");
    const alone = Boolean(this.model.get("embedded")); // no kernel draws anything anew
    for (const control of [this.foldButton, this.aroundButton, this.turnButton, this.saving.choice]) control.classList.toggle("dagnb-gone", alone);
    this.head = make(
      "div", { class: "dagnb-head" }, this.title, this.runLine, this.counts,
      make("div", { class: "dagnb-tools", role: "toolbar", "aria-label": "View" },
        button("zoom-out", "Zoom out (-)", "\u2212"), button("zoom-in", "Zoom in (+)", "+"),
        button("fit", "Show all (0)", "Fit"), this.turnButton, this.aroundButton, this.foldButton, this.tableButton, this.planButton, this.timelineButton, this.lessonButton,
        this.saving.choice, this.find.box, this.find.line),
    );
    this.bar = make("div", { class: "dagnb-bar", role: "progressbar", "aria-label": "Up to date" });
    this.body = make("div", { class: "dagnb-body" });
    this.live = make("div", { class: "dagnb-live", role: "status", "aria-live": "polite" });
    this.noticeLine = make("div", { class: "dagnb-notice", role: "alert" });
    this.root = make("div", { class: "dagnb" }, this.head, this.bar, this.body, this.live, this.noticeLine);
    this.head.addEventListener("click", (event) => this.tool(event.target.closest("button")?.dataset.action));
  }

  tool(action) {
    if (action === "zoom-in") this.stage.zoom(1.3);
    if (action === "zoom-out") this.stage.zoom(1 / 1.3);
    if (action === "fit") this.stage.fit(true);
    if (action === "fold") this.fold("", this.folds.length === 0);
    if (action === "turn") this.model.send({ kind: "turn", direction: this.stage.direction === "LR" ? "TB" : "LR" });
    if (action === "around") this.focus();
    if (action === "table") this.toggleTable();
    if (action === "plan") this.plan.toggle();
    if (action === "timeline") this.replay.toggle();
    if (action === "lesson") this.lesson.toggle();
  }

  // -------------------------------------------------------------- state

  redraw() {
    const graph = this.model.get("graph");
    if (!graph.nodes) return;
    this.replay.leave();
    const before = this.nodes;
    const known = (name) => ({ name, key: name, status: before.get(name)?.status ?? "pending" });
    const drawn = graph.nodes.map(([name, label, group, x, y, w, h]) =>
      ({ ...known(name), label, group, x, y, w, h, inputs: [], dependents: [], edges: [] }));
    this.folds = graph.folds.map(foldOf);
    const hidden = graph.hidden.map(([name, fold]) => ({ ...known(name), fold: this.folds[fold], inputs: [], dependents: [] }));
    for (const node of hidden) node.fold?.members.push(node);
    this.nodes = new Map([...drawn, ...hidden].map((node) => [node.name, node]));
    this.items = [...drawn, ...this.folds];
    this.edges = graph.edges.map(([a, b, d, back]) => ({ source: this.items[a], target: this.items[b], d, back }));
    for (const edge of this.edges) {
      edge.source.dependents.push(edge.target);
      edge.target.inputs.push(edge.source);
      edge.source.edges.push(edge);
      edge.target.edges.push(edge);
      edge.target.entered ||= !edge.back;
    }
    this.title.textContent = this.title.title = graph.title;
    this.body.dataset.empty = this.nodes.size ? "" : "No nodes yet. A cell that begins with %%dag_node makes one.";
    this.foldButton.hidden = !graph.groups.length && !this.folds.length;
    this.foldButton.textContent = this.folds.length ? "Unfold" : "Fold";
    fill(this.foldButton, { "aria-label": this.folds.length ? "Open all groups" : "Fold all groups", title: "Fold or open all groups (c folds the group of a node)" }, []);
    this.around = graph.around;
    this.aroundButton.textContent = this.around ? "Show all" : "Focus";
    this.aroundButton.setAttribute("aria-pressed", Boolean(this.around));
    this.stage.draw(graph);
    for (const fold of this.folds) updateFold(fold);
    this.restore(this.model.get("state"));
    this.panel.redrawn();
    this.find.redrawn();
    this.lesson.redrawn();
    this.replay.mark();
    this.plan.redrawn(before);
    this.root.dataset.ready = "true";
  }

  restore(state) {
    if (!state.nodes) return;
    this.seq = state.seq;
    if (this.replay.holds(state.rev)) return;
    this.replay.leave();
    this.apply(state);
  }

  receive(message) {
    if (message.kind === "delta") this.delta(message);
    if (message.kind === "state") this.restore(message);
    if (message.kind === "details") this.panel.details(message);
    if (message.kind === "plan") this.plan.show(message);
    if (message.kind === "lesson") this.lesson.show(message);
    if (message.kind === "recording") this.replay.show(message);
    if (message.kind === "saved") this.saving.received(message);
    if (message.kind === "notice") this.notice(message.text);
  }

  delta(message) {
    if (this.seq !== null && message.seq <= this.seq) return;
    if (this.seq !== null && message.seq > this.seq + 1) this.model.send({ kind: "sync" });
    this.replay.leave();
    this.seq = message.seq;
    this.apply(message);
  }

  apply({ nodes, counts, run, rev, clock }) {
    const now = performance.now();
    const began = [];
    const inside = new Set();
    for (const [name, facts] of Object.entries(nodes)) {
      const node = this.nodes.get(name);
      if (!node) continue;
      if (facts.status === "running" && node.status !== "running") began.push(node);
      if (facts.status === "failed" && node.status !== "failed" && this.root.dataset.rev) this.say(`${name} failed`);
      node.facts = facts;
      node.since = facts.started ? now - (clock - facts.started) * 1000 : now;
      if (node.el) this.stage.update(node);
      else { node.status = facts.status; inside.add(node.fold); }
    }
    for (const fold of inside) if (fold) { updateFold(fold); this.stage.updateEdges(fold); }
    if (run && run.seconds == null) this.plan.clear();
    this.run = run && { ...run, since: now - (clock - run.started) * 1000 };
    this.showCounts(counts);
    this.showRun();
    this.stage.follow(began.map((node) => (node.el ? node : node.fold)).filter(Boolean));
    this.map.renew();
    this.panel.update(nodes);
    this.table?.update();
    this.root.dataset.rev = rev;
  }

  tick() {
    if (this.kernel.isGone || this.replay.holds(this.root.dataset.rev)) return;
    for (const node of this.nodes.values()) if (node.status === "running" && node.icon && !node.away) this.stage.tick(node);
    if (this.run && this.run.seconds == null) this.showRun();
    this.panel.tick();
  }

  markPath(names) {
    this.root.toggleAttribute("data-critical", names.size > 0);
    const path = new Set(this.edges.filter(({ source, target }) => names.has(source.name) && names.has(target.name)));
    const reached = new Set([...path].map(({ target }) => target));
    for (const edge of this.edges) edge.el.classList.toggle("dagnb-critical", path.has(edge));
    for (const item of this.items) {
      item.el.classList.toggle("dagnb-critical", names.has(item.name));
      item.el.classList.toggle("dagnb-reached", reached.has(item));
    }
  }

  // Ask Python for what lies around the chosen node, or for all again.
  focus() {
    const { current } = this.stage;
    if (this.around) this.model.send({ kind: "focus", name: "" });
    else if (current && !current.members) this.model.send({ kind: "focus", name: current.name });
  }

  // Ask Python to fold or open a group, or all of them.
  fold(name, folded) {
    this.model.send({ kind: "fold", name, folded });
  }

  // -------------------------------------------------------------- head

  showCounts(counts) {
    const total = Object.values(counts).reduce((a, b) => a + b, 0);
    const entries = LOOK.statuses.filter((status) => counts[status]);
    keyed(this.counts, entries, (status) =>
      make("li", { "data-count": status, "data-status": status }, icon(status), make("b"), make("span", {}, LOOK.words[status])),
    (item, status) => { item.children[1].textContent = counts[status]; });
    keyed(this.bar, entries, (status) => make("i", { "data-status": status, "data-waiting": WAITING.has(status) }),
      (item, status) => { item.style.flexGrow = counts[status]; });
    const waiting = (counts.pending ?? 0) + (counts.stale ?? 0) + (counts.running ?? 0);
    fill(this.bar, { "aria-valuemin": 0, "aria-valuemax": total, "aria-valuenow": total - waiting,
      "aria-valuetext": entries.map((s) => `${counts[s]} ${LOOK.words[s]}`).join(", ") }, []);
  }

  showRun() {
    const run = this.run;
    let text = "";
    if (run && run.seconds == null) text = `${run.done} of ${run.total} \u00b7 ${duration((performance.now() - run.since) / 1000)}`;
    else if (run) text = run.stopped ? `stopped: ${run.stopped}` : duration(run.seconds);
    if (run && run.seconds != null && this.wasRunning) this.finished();
    this.wasRunning = Boolean(run && run.seconds == null);
    if (this.runLine.textContent === text) return;
    this.runLine.textContent = text;
    this.runLine.title = run && run.seconds != null && !run.stopped ? `The last run took ${text}` : text;
  }

  finished() {
    this.say(`Run finished: ${this.bar.getAttribute("aria-valuetext")}`);
    if (this.replay.isOpen) this.replay.open();
    this.lesson.finished();
  }

  say(text) {
    this.live.textContent = text;
  }

  // A notice goes away by itself, unless it stays until there is another.
  notice(text, stays = false) {
    this.noticeLine.textContent = text;
    clearTimeout(this.noticeTimer);
    if (!stays) this.noticeTimer = setTimeout(() => { this.noticeLine.textContent = ""; }, 12000);
  }

  toggleTable() {
    if (this.table) this.table.root.remove();
    this.table = this.table ? null : new Table(this);
    this.tableButton.setAttribute("aria-pressed", Boolean(this.table));
    this.body.classList.toggle("dagnb-tabled", Boolean(this.table));
  }
}

// Keep one child per key, in order, made once and updated each time.
function keyed(parent, keys, create, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.status, child]));
  keys.forEach((key, i) => {
    const child = old.get(key) ?? create(key);
    old.delete(key);
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
    update(child, key);
  });
  for (const child of old.values()) child.remove();
}
