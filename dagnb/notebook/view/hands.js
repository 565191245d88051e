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
    svg.addEventListener("pointerdown", (event) => this.grab(event));
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("click", (event) => { if (!event.detail) this.meant(event)?.(); }); // by no pointer
    svg.addEventListener("dblclick", (event) => { if (!this.itemOf(event)) stage.zoom(1.6, this.at(event)); });
    svg.addEventListener("pointerover", (event) => { if (this.hasMoved(event)) stage.hover(this.itemOf(event)); });
    svg.addEventListener("pointermove", (event) => { if (this.hasMoved(event) && stage.far.on && !event.buttons) stage.hover(this.itemOf(event)); });
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

  // Whether the hand moved, and not the drawing under it: nobody points at what came by itself.
  hasMoved({ screenX, screenY }) {
    const last = this.pointed;
    this.pointed = [screenX, screenY];
    return String(this.pointed) !== String(last);
  }

  at(event) {
    const { body } = this.graph;
    const box = body.getBoundingClientRect();
    return [event.clientX - box.left - body.clientLeft, event.clientY - box.top - body.clientTop];
  }

  // What a click or Enter means: a node opens its panel, a folded group opens itself.
  enter(item) {
    if (item.members) this.graph.fold(item.name, false);
    else if (!this.graph.lesson.enter(item)) this.graph.panel.open(item);
  }

  itemOf(event) {
    const { far, items } = this.stage;
    return far.on ? far.at(this.at(event)) : items.get(event.target.closest?.(".node, .fold")?.dataset.key);
  }

  // What a press at this place asks for. It is known by name: until the press ends, what was
  // pressed may have been drawn anew, so that no click would reach it, or may have moved.
  meant(event) {
    const item = this.itemOf(event);
    if (item) return () => this.pick(item.key);
    const group = event.target.closest?.(".handle")?.closest(".group").dataset.group;
    return group === undefined ? null : () => this.graph.fold(group, true);
  }

  pick(key) {
    const item = this.stage.items.get(key);
    if (!item) return;
    this.stage.walkFrom(item);
    this.enter(item);
  }

  // A press is a click if the pointer stays where it is, else it moves the drawing.
  grab(event) {
    if (event.button !== 0) return;
    const { stage } = this;
    const click = this.meant(event);
    const from = { x: event.clientX - stage.x, y: event.clientY - stage.y };
    let dragged = false;
    const move = (e) => {
      if (!dragged && Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY) < 4) return;
      if (!dragged) {
        stage.svg.setPointerCapture(event.pointerId);
        stage.sheet.grab(true);
        stage.hover(null);
      }
      dragged = stage.touched = true;
      stage.moveTo({ x: e.clientX - from.x, y: e.clientY - from.y, k: stage.k });
    };
    const stop = (e) => {
      for (const [name, handler] of listeners) window.removeEventListener(name, handler, true);
      if (dragged) stage.sheet.grab(false);
      else if (e.type === "pointerup") click?.();
    };
    const listeners = [["pointermove", move], ["pointerup", stop], ["pointercancel", stop]];
    for (const [name, handler] of listeners) window.addEventListener(name, handler, true);
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
