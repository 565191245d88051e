// A large graph from far away: thousands of boxes are painted on a canvas, since as elements
// they would hold up every move. The elements stay in the page, undrawn, with their statuses.

class Far {
  constructor(stage) {
    this.stage = stage;
    this.canvas = make("canvas", { class: "dagnb-far", "aria-hidden": "true", hidden: true });
    this.forced = matchMedia("(forced-colors: active)");
  }

  // Whether the canvas stands in for the elements; decided anew with every move.
  takeOver() {
    const { stage } = this;
    const on = stage.k < FAR && stage.many && !this.forced.matches;
    if (on === this.on) return;
    this.on = on;
    this.canvas.hidden = !on;
    stage.graph.root.toggleAttribute("data-painted", on);
    stage.svg.setAttribute("tabindex", on ? 0 : -1);
    stage.sheet.forget();
  }

  draw() {
    if (this.on) this.due ??= requestAnimationFrame(() => { this.due = null; this.paint(); });
  }

  paint() {
    const { sheet, graph: { root, edges } } = this.stage;
    if (!sheet.at) return;
    const pen = this.pen(sheet);
    const style = getComputedStyle(root);
    if (edges.length <= MANY_EDGES) this.lines(pen, edges, style.getPropertyValue("--dagnb-line"));
    this.boxes(pen, sheet.sight(), LOOK.tones[root.dataset.theme] ?? LOOK.tones.light, style.getPropertyValue("--dagnb-text"));
  }

  // An empty canvas as large as the sheet, and a pen that takes places in the graph.
  pen({ size, origin: [x, y], at: { k } }) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = size.map((each) => Math.round(each * ratio));
    if (this.canvas.width !== width || this.canvas.height !== height) fill(this.canvas, { width, height }, []);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.setTransform(ratio * k, 0, 0, ratio * k, ratio * x, ratio * y);
    return pen;
  }

  lines(pen, edges, colour) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1 / this.stage.k;
    pen.globalAlpha = 0.8;
    pen.beginPath();
    for (const edge of edges) {
      edge.path ??= new Path2D(edge.d);
      if (this.isSeen(edge.el)) pen.stroke(edge.path);
    }
  }

  boxes(pen, { left, top, right, bottom }, tones, text) {
    const { stage } = this;
    for (const item of stage.items.values()) {
      if (item.x > right || item.x + item.w < left || item.y > bottom || item.y + item.h < top || !this.isSeen(item.el)) continue;
      const waits = WAITING.has(item.status) || item.status === "skipped" || item.status === "cancelled";
      pen.globalAlpha = (waits ? 0.36 : 1) * ((stage.near ?? stage.chosen)?.has(item) === false ? 0.22 : 1);
      pen.fillStyle = tones[item.status];
      const grown = item.status === "failed" ? 7 : 0; // what broke is seen from anywhere
      pen.fillRect(item.x - grown, item.y - grown, item.w + 2 * grown, item.h + 2 * grown);
      if (!item.marked) continue;
      pen.globalAlpha = 1;
      pen.strokeStyle = text;
      pen.lineWidth = 2 / stage.k;
      pen.strokeRect(item.x - 3, item.y - 3, item.w + 6, item.h + 6);
    }
    pen.globalAlpha = 1;
  }

  isSeen(el) {
    return !this.stage.graph.root.dataset.replay || !el.classList.contains("dagnb-unborn");
  }

  // What is under a point of the stage.
  at([px, py]) {
    const { stage } = this;
    const x = (px - stage.x) / stage.k, y = (py - stage.y) / stage.k;
    const rim = 3 / stage.k;
    return [...stage.items.values()].find((item) => x > item.x - rim && x < item.x + item.w + rim && y > item.y - rim && y < item.y + item.h + rim);
  }
}
