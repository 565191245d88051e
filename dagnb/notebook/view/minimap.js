// Where in the whole we are. Statuses change what is drawn there; a look elsewhere moves a frame,
// which is painted, too: an element that moved would have the browser go through the whole page.

const MAP = [168, 112]; // px at most, and no more than a part of the window
const MAPPED = [480, 220]; // px; a smaller window has no room for a map
const CORNERS = ["left bottom", "right bottom", "right top", "left top"];
const AWAY = 10; // px from the rims of the window

class Minimap {
  constructor(graph) {
    this.graph = graph;
    this.stale = true;
    this.canvas = make("canvas");
    this.frame = make("canvas", { class: "dagnb-here" });
    this.el = make("div", { class: "dagnb-map", "aria-hidden": "true", hidden: true }, this.canvas, this.frame);
    graph.body.append(this.el);
    const go = (event) => { if (event.buttons) this.go(event); };
    this.el.addEventListener("pointerdown", (event) => { this.el.setPointerCapture(event.pointerId); go(event); });
    this.el.addEventListener("pointermove", go);
  }

  destroy() {
    cancelAnimationFrame(this.due);
    clearTimeout(this.rest);
  }

  // What is drawn changed, not only where we look.
  renew() {
    this.stale = true;
    this.draw();
  }

  draw() {
    this.due ??= requestAnimationFrame(() => { this.due = null; this.paint(); });
  }

  paint() {
    const { stage, body } = this.graph;
    if (!stage.size || !body.clientWidth) return; // out of sight, for a moment if only the theme changes
    const room = stage.room();
    if (!this.isNeeded(room)) { this.el.hidden = true; return; }
    if (String([room, stage.size]) !== String([this.room, this.whole])) this.measure(room);
    if (this.stale) this.paintItems();
    this.point(room);
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.settle(), this.corner ? 150 : 0);
  }

  isNeeded([width, height]) {
    const { x, y, k, size: [w, h] } = this.graph.stage;
    const isWhole = x > -1 && y > -1 && x + w * k < width + 1 && y + h * k < height + 1;
    return !isWhole && width >= MAPPED[0] && height >= MAPPED[1];
  }

  // As large as there is room for.
  measure(room) {
    const [w, h] = (this.whole = this.graph.stage.size);
    this.room = room;
    this.scale = Math.min(MAP[0] / w, MAP[1] / h, room[0] / 5 / w, room[1] / 4 / h);
    this.size = [w * this.scale, h * this.scale];
    this.corner = null;
    this.stale = true;
  }

  paintItems() {
    const { items, root } = this.graph;
    this.stale = false;
    const pen = this.pen(this.canvas);
    pen.scale(this.scale, this.scale);
    const tones = LOOK.tones[root.dataset.theme] ?? LOOK.tones.light;
    for (const item of items) {
      pen.globalAlpha = WAITING.has(item.status) ? 0.35 : 0.9;
      pen.fillStyle = tones[item.status];
      pen.fillRect(item.x, item.y, item.w, Math.max(item.h, 1.6 / this.scale));
    }
  }

  // Put the frame around what is seen.
  point(room) {
    const { stage, root } = this.graph;
    const [[x0, x1], [y0, y1]] = ["x", "y"].map((axis, i) =>
      [0, room[i]].map((at, end) => clamp(((at - stage[axis]) / stage.k) * this.scale, end ? 3 : 1, this.size[i] - (end ? 1 : 3))));
    const pen = this.pen(this.frame);
    pen.strokeStyle = (LOOK.tones[root.dataset.theme] ?? LOOK.tones.light).running;
    pen.lineWidth = 1.5;
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }

  // An empty canvas as large as the map, and a pen that takes its pixels.
  pen(canvas) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = this.size.map((each) => Math.ceil(each * ratio));
    if (canvas.width !== width || canvas.height !== height) fill(canvas, { width, height }, []);
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.scale(ratio, ratio);
    return pen;
  }

  // Stand where the fewest nodes are covered: in a large graph from then on; in a small one, where
  // nobody gets lost, as long as that is none, and nowhere if there is no such corner.
  settle() {
    const { stage } = this.graph;
    if (!this.size || !this.isNeeded(this.room)) return;
    const small = stage.items.size < SMALL;
    const order = this.corner && !small ? [this.corner] : [...new Set([this.corner ?? CORNERS[0], ...CORNERS])];
    const covered = new Map(order.map((corner) => [corner, this.covered(this.placeIn(corner))]));
    this.corner = order.reduce((best, each) => (covered.get(each) < covered.get(best) ? each : best));
    const [left, top] = this.placeIn(this.corner);
    fill(this.el, { style: `width:${this.size[0]}px;height:${this.size[1]}px;left:${left}px;top:${top}px` }, []);
    this.el.hidden = small && covered.get(this.corner) > 0;
  }

  placeIn(corner) {
    const [width, height] = this.room;
    return [corner.startsWith("left") ? AWAY : width - AWAY - this.size[0], corner.endsWith("top") ? AWAY : height - AWAY - this.size[1]];
  }

  // How many items are under a map that stands there.
  covered([left, top]) {
    const { x, y, k } = this.graph.stage;
    const [right, bottom] = [left + this.size[0], top + this.size[1]];
    return this.graph.items.filter((item) =>
      item.x * k + x < right && (item.x + item.w) * k + x > left && item.y * k + y < bottom && (item.y + item.h) * k + y > top).length;
  }

  go(event) {
    const { stage } = this.graph;
    const box = this.el.getBoundingClientRect();
    const [width, height] = stage.room();
    const x = (event.clientX - box.left) / this.scale, y = (event.clientY - box.top) / this.scale;
    stage.touched = true;
    stage.moveTo({ k: stage.k, x: width / 2 - x * stage.k, y: height / 2 - y * stage.k });
  }
}
