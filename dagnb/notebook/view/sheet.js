// What the graph is drawn on. It is larger than the window by a rim on each side: while that
// reaches, looking elsewhere moves the sheet and draws nothing. What moves it while it is held is
// scrolling: after any other move the browser goes through all that is painted, for each frame.

const RIM = 360; // px

class Sheet {
  constructor(stage, ...layers) {
    this.stage = stage;
    this.size = [0, 0];
    this.el = make("div", { class: "dagnb-sheet" }, ...layers);
    this.pane = make("div", { class: "dagnb-pane" }, this.el);
    stage.graph.body.append(this.pane);
  }

  resize(width, height) {
    const size = [width + 2 * RIM, height + 2 * RIM];
    if (String(size) === String(this.size)) return;
    this.size = size;
    fill(this.el, { style: `width:${size[0]}px;height:${size[1]}px` }, []);
    this.forget();
  }

  // What is to be drawn, or how large the sheet is, is something else now.
  forget() {
    this.at = null;
  }

  look() {
    const { x, y, k } = this.stage;
    if (k !== this.at?.k || Math.max(Math.abs(x - this.at.x), Math.abs(y - this.at.y)) > RIM) this.draw();
    const [across, down] = [x - this.at.x, y - this.at.y];
    this.el.style.transform = this.isHeld || (!across && !down) ? "" : `translate(${across}px,${down}px)`;
    if (this.isHeld) this.pane.scrollTo({ left: RIM - across, top: RIM - down, behavior: "instant" });
  }

  // Draw what is seen from here, with as much around it on every side.
  draw() {
    const { x, y, k } = (this.at = { x: this.stage.x, y: this.stage.y, k: this.stage.k });
    this.origin = [x + RIM, y + RIM];
    this.stage.drawOn(this);
  }

  // The part of the graph that is on the sheet.
  sight() {
    const [x, y] = this.origin, [width, height] = this.size;
    const { k } = this.at;
    return { left: -x / k, top: -y / k, right: (width - x) / k, bottom: (height - y) / k };
  }

  // While it is held, it is a picture that is moved; let go, it is drawn around the new place.
  grab(held) {
    this.isHeld = held;
    this.pane.classList.toggle("dagnb-grabbed", held);
    if (!held) this.forget();
    this.look();
  }
}
