// The page around us.

// Whether the page is dark, and the still picture of the same graph that follows in the same
// output: it is for readers without a kernel, and hidden while the live view is there.
class Page {
  constructor(graph) {
    this.graph = graph;
    this.hidden = new Set();
    const look = () => { this.theme(); setTimeout(() => this.theme(), 300); };
    this.themes = new MutationObserver(look);
    const attributes = { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind"] };
    for (const el of [document.body, document.documentElement]) this.themes.observe(el, attributes);
    this.outputs = new MutationObserver(() => this.hideStills());
    this.attached = requestAnimationFrame(() => this.settle(20));
  }

  destroy() {
    cancelAnimationFrame(this.attached);
    this.themes.disconnect();
    this.outputs.disconnect();
    for (const el of this.hidden) el.style.display = "";
  }

  settle(tries) {
    if (!this.graph.root.isConnected && tries) this.attached = requestAnimationFrame(() => this.settle(tries - 1));
    else { this.theme(); this.hideStills(); }
  }

  theme() {
    let el = this.graph.root.parentElement;
    let ground;
    for (; el; el = el.parentElement) {
      ground = getComputedStyle(el).backgroundColor.match(/[\d.]+/g)?.map(Number);
      if (ground && (ground.length < 4 || ground[3] > 0.5)) break;
    }
    // A page of VS Code's has no ground of its own; it says what its editor's is like.
    const kind = document.body.dataset.vscodeThemeKind ?? "";
    const [r, g, b] = el ? ground : /dark|contrast$/.test(kind) ? [0, 0, 0] : [255, 255, 255];
    const theme = 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
    if (this.graph.root.dataset.theme === theme) return;
    this.graph.root.dataset.theme = theme;
    this.graph.map.renew();
  }

  hideStills() {
    const own = this.graph.root.closest(".jp-OutputArea-child, .output_container"); // Jupyter's, VS Code's
    if (!own) return;
    this.outputs.disconnect();
    this.outputs.observe(own.parentElement, { childList: true });
    for (let el = own.nextElementSibling; el; el = el.nextElementSibling) {
      this.outputs.observe(el, { childList: true, subtree: true });
      if (!el.querySelector('svg.dagnb-static, img[src^="data:image/svg+xml"][src*="dagnb-static"]')) continue;
      el.style.display = "none";
      this.hidden.add(el);
    }
  }
}
