// Draws the metrics of a run, one small chart each, and keeps them fresh while the run goes on.
(() => {
  const POLL_MILLISECONDS = 2000;
  const HEIGHT = 170;

  const colour = (name, fallback) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;

  const short = (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  };

  const columns = (points) => {
    const steps = [];
    const values = [];
    for (const [step, value] of points) {
      steps.push(step);
      values.push(Number.isFinite(value) ? value : null);
    }
    return [steps, values];
  };

  const options = (width) => {
    const text = colour("--color-base-content", "#333");
    const grid = colour("--color-base-300", "#ddd");
    const axis = {
      stroke: text,
      font: "11px system-ui, sans-serif",
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, size: 26, space: 60, grid: { show: false } },
        { ...axis, size: 52, space: 34, values: (_, ticks) => ticks.map(short) },
      ],
      series: [
        {},
        {
          stroke: colour("--color-primary", "#14626f"),
          width: 1.75,
          spanGaps: true,
          points: { show: (plot) => plot.data[0].length < 3 },
        },
      ],
    };
  };

  class Chart {
    constructor(holder, name) {
      this.box = document.createElement("section");
      this.box.className = "chart";
      this.box.dataset.metric = name;
      const head = document.createElement("div");
      head.className = "chart-head";
      const title = document.createElement("span");
      title.className = "chart-name";
      title.textContent = name;
      title.title = name;
      this.value = document.createElement("span");
      this.value.className = "chart-value";
      head.append(title, this.value);
      this.place = document.createElement("div");
      this.place.className = "chart-plot";
      this.box.append(head, this.place);
      holder.append(this.box);
      this.data = [[], []];
      new ResizeObserver(() => this.fit()).observe(this.place);
    }

    show(points) {
      this.data = columns(points);
      this.box.dataset.points = String(points.length);
      this.newest();
      if (this.plot) this.plot.setData(this.data);
      else this.draw();
    }

    newest() {
      const at = this.plot?.cursor.idx ?? this.data[1].length - 1;
      this.value.textContent =
        at < 0 ? "" : `${short(this.data[1][at])} ${truing.t("at")} ${this.data[0][at]}`;
    }

    draw() {
      this.plot?.destroy();
      const width = this.place.clientWidth || 300;
      const settings = options(width);
      settings.hooks = { setCursor: [() => this.newest()] };
      this.plot = new uPlot(settings, this.data, this.place);
    }

    fit() {
      const width = this.place.clientWidth;
      if (this.plot && width && width !== this.plot.width) {
        this.plot.setSize({ width, height: HEIGHT });
      }
    }
  }

  const start = (holder) => {
    if (holder.dataset.charted) return;
    holder.dataset.charted = "yes";
    const charts = new Map();
    const show = (series) => {
      for (const [name, points] of Object.entries(series)) {
        if (!charts.has(name)) charts.set(name, new Chart(holder, name));
        charts.get(name).show(points);
      }
    };
    window.addEventListener("themechange", () => charts.forEach((chart) => chart.draw()));
    if (holder.dataset.chart) show(JSON.parse(holder.dataset.chart).series || {});
    const url = holder.dataset.chartUrl;
    if (!url) return;
    const poll = async () => {
      if (!holder.isConnected) return;
      let done = false;
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const metrics = await answer.json();
          show(metrics.series || {});
          done = Boolean(metrics.done);
        }
      } catch {
        // The server may be restarting: ask again.
      }
      if (!done) setTimeout(poll, POLL_MILLISECONDS);
    };
    poll();
  };

  const startAll = () =>
    document.querySelectorAll("[data-chart], [data-chart-url]").forEach(start);
  document.addEventListener("DOMContentLoaded", startAll);
  document.addEventListener("htmx:load", startAll);
  if (document.readyState !== "loading") startAll();
})();
