// Where in the whole we are.

class Minimap {
  constructor(graph) {
    this.graph = graph;
    this.stale = true;
    this.canvas = make("canvas", { class: "dagnb-map", "aria-hidden": "true" });
    graph.body.append(this.canvas);
    const go = (event) => { if (event.buttons) this.go(event); };
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); go(event); });
    this.canvas.addEventListener("pointermove", go);
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
    const { stage, items, root, body } = this.graph;
    if (!stage.size || !body.clientWidth) return; // out of sight, for a moment if only the theme changes
    const [w, h] = stage.size;
    const [width, height] = stage.room();
    const hidden = w * stage.k <= width + 1 && h * stage.k <= height + 1;
    this.canvas.hidden = hidden && stage.x > -1 && stage.y > -1;
    if (this.canvas.hidden) return;
    const s = (this.scale = Math.min(168 / w, 112 / h));
    const ratio = devicePixelRatio || 1;
    fill(this.canvas, { width: Math.ceil(w * s * ratio), height: Math.ceil(h * s * ratio), style: `width:${w * s}px;height:${h * s}px` }, []);
    const pen = this.canvas.getContext("2d");
    if (this.stale) this.paintItems(items, s * ratio);
    pen.drawImage(this.items, 0, 0);
    pen.setTransform(ratio * s, 0, 0, ratio * s, 0, 0);
    const tones = LOOK.tones[root.dataset.theme] ?? LOOK.tones.light;
    pen.lineWidth = 1.5 / s;
    pen.strokeStyle = tones.running;
    const [x0, x1] = [-stage.x, width - stage.x].map((x) => clamp(x / stage.k, 1 / s, w - 1 / s));
    const [y0, y1] = [-stage.y, height - stage.y].map((y) => clamp(y / stage.k, 1 / s, h - 1 / s));
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }

  paintItems(items, scale) {
    this.stale = false;
    this.items = make("canvas", { width: this.canvas.width, height: this.canvas.height });
    const pen = this.items.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const tones = LOOK.tones[this.graph.root.dataset.theme] ?? LOOK.tones.light;
    for (const item of items) {
      pen.globalAlpha = WAITING.has(item.status) ? 0.35 : 0.9;
      pen.fillStyle = tones[item.status];
      pen.fillRect(item.x, item.y, item.w, Math.max(item.h, 1.6 / scale));
    }
  }

  go(event) {
    const { stage } = this.graph;
    const box = this.canvas.getBoundingClientRect();
    const [width, height] = stage.room();
    const x = (event.clientX - box.left) / this.scale, y = (event.clientY - box.top) / this.scale;
    stage.touched = true;
    stage.moveTo({ k: stage.k, x: width / 2 - x * stage.k, y: height / 2 - y * stage.k });
  }
}
