// From one drawing to the next: what was there moves to its new place, the rest fades in.

const MOVE = 260; // milliseconds

class Motion {
  constructor(stage) {
    this.stage = stage;
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
  }

  // Where everything is now, on the screen.
  remember() {
    const { x, y, k, items } = this.stage;
    const places = new Map();
    for (const item of items.values()) {
      const place = { x: item.x * k + x, y: item.y * k + y };
      places.set(item.key, place);
      for (const member of item.members ?? []) places.set(member.key, place);
    }
    return places;
  }

  // Move what is drawn now from where it, its group or its members were.
  play(before) {
    this.stop();
    const { stage } = this;
    if (!before.size || stage.items.size > MANY || calm()) return;
    const moves = [];
    for (const item of stage.items.values()) {
      const from = before.get(item.key) ?? (item.members && middle(item.members.map(({ key }) => before.get(key)).filter(Boolean)));
      if (!from) { item.el.classList.add("dagnb-new"); continue; }
      const [dx, dy] = [(from.x - stage.x) / stage.k - item.x, (from.y - stage.y) / stage.k - item.y];
      if (Math.abs(dx) + Math.abs(dy) > 0.5) moves.push([item, dx, dy]);
    }
    if (!moves.length) return;
    stage.world.classList.add("dagnb-moving"); // edges follow when the nodes have arrived
    const start = performance.now();
    const step = (now) => {
      const t = clamp((now - start) / MOVE, 0, 1);
      const rest = (1 - t) ** 3;
      for (const [item, dx, dy] of moves) item.el.setAttribute("transform", `translate(${item.x + dx * rest},${item.y + dy * rest})`);
      if (t < 1) this.frame = requestAnimationFrame(step);
      else stage.world.classList.remove("dagnb-moving");
    };
    step(start);
  }
}

function middle(points) {
  const mean = (key) => points.reduce((sum, point) => sum + point[key], 0) / points.length;
  return points.length ? { x: mean("x"), y: mean("y") } : null;
}
