// Pointer and keyboard on the drawing.

class Hands {
  constructor(stage) {
    this.stage = stage;
    this.graph = stage.graph;
    this.listen();
  }

  destroy() {
    window.removeEventListener("keydown", this.keys, true);
  }

  listen() {
    const { stage, graph } = this;
    const { svg } = stage;
    const itemOf = (event) => (stage.far.on ? stage.far.at(this.at(event)) : stage.items.get(event.target.closest?.(".node, .fold")?.dataset.key));
    svg.addEventListener("pointerdown", (event) => this.grab(event));
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("click", (event) => {
      if (this.dragged) return;
      const item = itemOf(event);
      const group = event.target.closest?.(".group .handle")?.closest(".group").dataset.group;
      if (item) { stage.walkFrom(item); this.enter(item); }
      else if (group !== undefined) graph.fold(group, true);
    });
    svg.addEventListener("dblclick", (event) => { if (!itemOf(event)) stage.zoom(1.6, this.at(event)); });
    svg.addEventListener("pointerover", (event) => stage.hover(itemOf(event)));
    svg.addEventListener("pointermove", (event) => { if (stage.far.on && !event.buttons) stage.hover(itemOf(event)); });
    svg.addEventListener("pointerleave", () => stage.hover(null));
    svg.addEventListener("focusin", (event) => {
      const item = stage.items.get(event.target.dataset?.key);
      if (!item) return;
      if (item !== stage.current) stage.walkFrom(item);
      if (event.target.matches(":focus-visible")) stage.hover(item);
    });
    svg.addEventListener("focusout", () => stage.hover(null));
    // JupyterLab listens at the document, where arrows move between cells and dd deletes one.
    this.keys = (event) => { if (graph.root.contains(event.target)) this.key(event); };
    window.addEventListener("keydown", this.keys, true);
  }

  at(event) {
    const box = this.stage.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // What a click or Enter means: a node opens its panel, a folded group opens itself.
  enter(item) {
    if (item.members) this.graph.fold(item.name, false);
    else if (!this.graph.lesson.enter(item)) this.graph.panel.open(item);
  }

  grab(event) {
    if (event.button !== 0) return;
    const { stage } = this;
    const from = { x: event.clientX - stage.x, y: event.clientY - stage.y };
    const [x0, y0] = [event.clientX, event.clientY];
    this.dragged = false;
    const move = (e) => {
      if (!this.dragged && Math.hypot(e.clientX - x0, e.clientY - y0) < 4) return;
      if (!this.dragged) stage.svg.setPointerCapture(event.pointerId);
      this.dragged = stage.touched = true;
      stage.svg.classList.add("dagnb-grabbed");
      stage.moveTo({ x: e.clientX - from.x, y: e.clientY - from.y, k: stage.k });
    };
    const stop = () => {
      stage.svg.classList.remove("dagnb-grabbed");
      for (const [name, handler] of [["pointermove", move], ["pointerup", stop], ["pointercancel", stop]]) stage.svg.removeEventListener(name, handler);
    };
    for (const [name, handler] of [["pointermove", move], ["pointerup", stop], ["pointercancel", stop]]) stage.svg.addEventListener(name, handler);
  }

  // The page scrolls as ever; with Ctrl, Cmd or a pinch the graph zooms.
  wheel(event) {
    if (!(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const step = event.deltaMode ? event.deltaY * 30 : event.deltaY;
    this.stage.zoom(Math.exp(-clamp(step, -120, 120) * 0.004), this.at(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const { stage, graph } = this;
    if (graph.replay.key(event) || graph.lesson.key(event)) { event.preventDefault(); return; }
    if (event.target === graph.find.box) { graph.find.key(event); return; }
    if (event.target.matches("input, select, textarea") && event.key !== "Escape") return;
    if (event.key === "/") { event.preventDefault(); graph.find.box.focus(); return; }
    if (event.key !== "Escape" && !event.target.closest(".dagnb-stage")) return;
    const items = () => [...stage.items.values()];
    const act = {
      "+": () => stage.zoom(1.3), "=": () => stage.zoom(1.3), "-": () => stage.zoom(1 / 1.3), 0: () => stage.fit(true),
      Escape: () => (graph.panel.name || !graph.find.box.value ? graph.panel.close() : graph.find.leave()),
      f: () => graph.focus(),
      Enter: () => this.enter(stage.current), " ": () => this.enter(stage.current),
      c: () => { if (stage.current.group) graph.fold(stage.current.group, true); },
      ArrowUp: () => this.walk(0, -1), ArrowDown: () => this.walk(0, 1),
      ArrowLeft: () => this.walk(-1, 0), ArrowRight: () => this.walk(1, 0),
      Home: () => stage.walkFrom(items()[0], true),
      End: () => stage.walkFrom(items().at(-1), true),
    }[event.key];
    if (!act || !stage.current) return;
    event.preventDefault();
    act();
  }

  // Along the edges in their direction, to the nearest neighbour in the row across it.
  walk(dx, dy) {
    const { stage } = this;
    const from = stage.current;
    const along = stage.direction === "LR" ? dx : dy;
    const pool = along > 0 ? from.dependents : along < 0 ? from.inputs : this.beside(from, dx, dy);
    const far = (item) => Math.hypot(item.x + item.w / 2 - from.x - from.w / 2, item.y - from.y);
    const next = [...pool].sort((a, b) => far(a) - far(b))[0];
    if (next) stage.walkFrom(next, true);
  }

  beside(from, dx, dy) {
    const middle = (item) => item.y + item.h / 2;
    return [...this.stage.items.values()].filter((item) =>
      dx ? Math.abs(middle(item) - middle(from)) < 8 && (item.x - from.x) * dx > 0
        : Math.abs(item.x + item.w / 2 - from.x - from.w / 2) < 60 && (item.y - from.y) * dy > 0);
  }
}
